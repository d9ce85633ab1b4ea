/**
 * Servers as odd as the oddest: raw sockets that send a channel in real time in a way that no textbook has. Each is a
 * head, and what becomes of the packets on their way.
 */
import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { createServer as createTls } from 'node:tls';
import { loopPackets, packetsDue, TICKS_PER_MS, type LoopClip } from '../../src/demo/loopTs.js';
import { pmtSection, sectionPackets } from '../../src/capture/tables.js';
import { parsePmt, sectionCollector, type ProgrammeMap } from '../../src/capture/psi.js';

const PACKET = 188;
const TICK_MS = 40;

/** Gives what goes out in place of these packets, `atMs` after the connection began. */
export type Change = (packets: Buffer, atMs: number) => Buffer;

export interface OddChannel {
  readonly head?: string;
  /** Of one connection; has its own memory. */
  readonly change?: (clip: LoopClip) => Change;
  /** Puts bytes on the wire; once a tick. */
  readonly wire?: (socket: Socket, bytes: Buffer) => void;
  readonly before?: Buffer;
  /** The connection ends after so long. */
  readonly endsMs?: number;
  readonly clip?: LoopClip;
  readonly baseTicks?: number;
  readonly secure?: boolean;
}

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\nConnection: close\r\n\r\n';

export async function startOddServers(
  channels: Readonly<Record<string, OddChannel>>,
  clip: LoopClip,
  certificate: { readonly cert: string; readonly key: string },
) {
  const sockets = new Set<Socket>();
  const connections = new Map<string, number>();
  const bornAt = performance.now();

  function serve(socket: Socket): void {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.setNoDelay(true);
    socket.once('data', (request: Buffer) => {
      const id = /^GET \/([\w-]+)/.exec(request.toString())?.[1] ?? '';
      const odd = channels[id];
      connections.set(id, (connections.get(id) ?? 0) + 1);
      if (odd) send(odd, socket);
      else socket.end('HTTP/1.1 404 Not Found\r\n\r\n');
    });
  }

  function send(
    { head = HEAD, change, wire, before, endsMs, clip: own = clip, baseTicks = 0 }: OddChannel,
    socket: Socket,
  ) {
    const put = wire ?? ((to: Socket, bytes: Buffer) => void to.write(bytes));
    const begunAt = performance.now();
    const changed = change?.(own) ?? ((packets: Buffer) => packets);
    let next = packetsDue(own, (begunAt - bornAt) * TICKS_PER_MS);
    socket.write(head);
    if (before) put(socket, before);
    const timer = setInterval(() => {
      const now = performance.now();
      const due = packetsDue(own, (now - bornAt) * TICKS_PER_MS);
      const bytes = changed(loopPackets(own, next, due, baseTicks), now - begunAt);
      next = due;
      if (bytes.length > 0) put(socket, bytes);
      if (endsMs !== undefined && now - begunAt > endsMs) socket.end();
    }, TICK_MS);
    socket.on('close', () => clearInterval(timer));
  }

  const [plain, secure] = [createServer(serve), createTls(certificate, serve)];
  for (const server of [plain, secure])
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const portOf = (server: typeof plain) => (server.address() as AddressInfo).port;
  return {
    url: (id: string) =>
      channels[id]?.secure
        ? `https://127.0.0.1:${portOf(secure)}/${id}`
        : `http://127.0.0.1:${portOf(plain)}/${id}`,
    connections: (id: string) => connections.get(id) ?? 0,
    close() {
      for (const socket of sockets) socket.destroy();
      plain.close();
      secure.close();
    },
  };
}

const pidAt = (packets: Buffer, at: number) => packets.readUInt16BE(at + 1) & 0x1fff;

/** Each packet by itself: null leaves it out. */
export function eachPacket(change: (packet: Buffer, pid: number, atMs: number) => Buffer | null): Change {
  return (packets, atMs) => {
    const out: Buffer[] = [];
    for (let at = 0; at < packets.length; at += PACKET) {
      const packet = packets.subarray(at, at + PACKET);
      const now = change(packet, pidAt(packet, 0), atMs);
      if (now) out.push(now);
    }
    return Buffer.concat(out);
  };
}

function mapOf(clip: LoopClip): ProgrammeMap {
  const collector = sectionCollector();
  for (let at = 0; at < clip.packets.length; at += PACKET) {
    if (pidAt(clip.packets, at) !== clip.pmtPid) continue;
    const section = collector.push(clip.packets, at);
    const map = section && parsePmt(section);
    if (map) return map;
  }
  throw new Error('the clip has no map');
}

/** With another map in place of its own. */
export function withMap(change: (map: ProgrammeMap, atMs: number) => ProgrammeMap) {
  return (clip: LoopClip): Change => {
    const map = mapOf(clip);
    return eachPacket((packet, pid, atMs) => {
      if (pid !== clip.pmtPid) return packet;
      return sectionPackets(pmtSection(change(map, atMs)), pid, (packet[3] ?? 0) & 15);
    });
  };
}

export function isVideo(clip: LoopClip): (pid: number) => boolean {
  const video = mapOf(clip).streams.find(({ kind }) => kind === 'video')?.pid;
  return (pid) => pid === video;
}

export const hasClock = (packet: Buffer) =>
  ((packet[3] ?? 0) & 0x20) !== 0 && (packet[4] ?? 0) > 0 && ((packet[5] ?? 0) & 0x10) !== 0;

export function withoutClock(packet: Buffer): Buffer {
  if (!hasClock(packet)) return packet;
  const out = Buffer.from(packet);
  out[5] = (out[5] ?? 0) & ~0x10;
  out.copy(out, 6, 12, 5 + (out[4] ?? 0));
  out.fill(0xff, 5 + (out[4] ?? 0) - 6, 5 + (out[4] ?? 0));
  return out;
}

/** The clock of a packet alone, on another PID. */
export function clockOf(packet: Buffer, pid: number): Buffer {
  const out = Buffer.alloc(PACKET, 0xff);
  Buffer.from([0x47, pid >> 8, pid & 0xff, 0x20, 183, 0x10]).copy(out);
  packet.copy(out, 6, 6, 12);
  return out;
}
