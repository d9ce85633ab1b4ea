/** Providers that no textbook has, one channel each, all recorded at once by one real process. */
import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import {
  clockOf,
  eachPacket,
  hasClock,
  isVideo,
  startOddServers,
  withMap,
  withoutClock,
  type OddChannel,
} from '../fakes/odd.js';
import { selfSigned } from '../fakes/selfSigned.js';
import { loopClip } from '../media/clip.js';
import { breaksOf, decode, probe } from '../media/frames.js';
import { CLIP_FRAMES, guideText, listText, openScene, programme, soon } from './scene.js';

const LONG_S = 12;
const chunk = (bytes: Buffer) =>
  Buffer.concat([
    Buffer.from(`${bytes.length.toString(16).toUpperCase()};x=1\r\n`),
    bytes,
    Buffer.from('\r\n'),
  ]);
let seed = 1;
const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;

const ODD: Record<string, OddChannel> = {
  plain: {},
  dribbled: {
    wire(socket, bytes) {
      for (let at = 0; at < bytes.length; at += 31) socket.write(bytes.subarray(at, at + 31));
    },
  },
  chunked: {
    head: 'HTTP/1.1 200\r\ncONTENT-tYPE:video/mp2t\r\nTRANSFER-ENCODING:  Chunked\r\nTrailer: X\r\n\r\n',
    wire(socket, bytes) {
      for (let at = 0; at < bytes.length; at += 1_000) socket.write(chunk(bytes.subarray(at, at + 1_000)));
    },
  },
  html: { head: 'HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n' },
  old: { head: 'HTTP/1.0 200 OK\r\nServer: very old\r\n\r\n' },
  informed: {
    head: 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\n\r\n',
  },
  partial: {
    head: 'HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-9999999/10000000\r\nContent-Length: 10000000\r\n\r\n',
  },
  endless: { head: 'HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\n' },
  short: { head: 'HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n', endsMs: 3_000 },
  secure: { secure: true },
  page: { before: Buffer.from(`<html><body>${'please wait '.repeat(40)}</body></html>\r\n`) },
  bom: { before: Buffer.from('\ufeff\r\n\r\n') },
  false47: { before: Buffer.concat([Buffer.alloc(700, 0x47), Buffer.from('x')]) },
  packed: {
    head: 'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n',
    wire: (socket, bytes) => void socket.write(gzipSync(bytes)),
  },
  icy: { head: 'ICY 200 OK\r\nicy-name: tv\r\n\r\n' },
  folded: { head: 'HTTP/1.1 200 OK\r\nX-Long: a\r\n  b\r\n\tc\r\nContent-Type: video/mp2t\r\n\r\n' },
  late: {
    change: (clip) =>
      eachPacket((packet, pid, atMs) => ((pid === 0 || pid === clip.pmtPid) && atMs < 6_000 ? null : packet)),
  },
  clockless: { change: () => eachPacket(withoutClock) },
  ownclock: {
    change: (clip) => {
      const map = withMap((one) => ({ ...one, pcrPid: 0x1abc }))(clip);
      const clock = eachPacket((packet) =>
        hasClock(packet) ? Buffer.concat([clockOf(packet, 0x1abc), withoutClock(packet)]) : packet,
      );
      return (packets, atMs) => clock(map(packets, atMs), atMs);
    },
  },
  scrambled: {
    change: (clip) => {
      const video = isVideo(clip);
      return eachPacket((packet, pid) => {
        if (!video(pid)) return packet;
        const out = Buffer.from(packet);
        out[3] = (out[3] ?? 0) | 0x80;
        return out;
      });
    },
  },
  versions: { change: withMap((map, atMs) => ({ ...map, version: Math.floor(atMs / 1_000) % 32 })) },
  sounding: {
    change: (clip) => {
      const video = isVideo(clip);
      const map = withMap((one) => {
        const streams = one.streams.filter(({ kind }) => kind !== 'video');
        return { ...one, streams, pcrPid: streams[0]?.pid ?? 0x1fff };
      })(clip);
      return (packets, atMs) =>
        eachPacket((packet, pid) => (video(pid) ? null : packet))(map(packets, atMs), atMs);
    },
  },
  wraps: { baseTicks: 2 ** 33 - 90_000 * 15 },
  flipped: {
    change: () => (packets) => {
      const out = Buffer.from(packets);
      for (let n = 0; n < out.length; n++)
        if (random() < 1 / 4_000) out[n] = (out[n] ?? 0) ^ (1 << Math.floor(random() * 8));
      return out;
    },
  },
  garbage: {
    change: () => {
      let last = 0;
      return (packets, atMs) => {
        if (atMs - last < 1_000) return packets;
        last = atMs;
        return Buffer.concat([packets, Buffer.from('G'.repeat(50) + 'x'.repeat(133))]);
      };
    },
  },
  doubled: {
    change: () => eachPacket((packet) => (hasClock(packet) ? packet : Buffer.concat([packet, packet]))),
  },
  moving: {
    change: (clip) => {
      const move = (pid: number, atMs: number) =>
        pid < 0x20 || pid === clip.pmtPid || pid === 0x1fff ? pid : pid + 16 * Math.floor(atMs / 3_000);
      const map = withMap((one, atMs) => ({
        ...one,
        version: Math.floor(atMs / 3_000) % 32,
        pcrPid: move(one.pcrPid, atMs),
        streams: one.streams.map((stream) => ({ ...stream, pid: move(stream.pid, atMs) })),
      }))(clip);
      const moved = eachPacket((packet, pid, atMs) => {
        const out = Buffer.from(packet);
        out.writeUInt16BE((out.readUInt16BE(1) & 0xe000) | move(pid, atMs), 1);
        return out;
      });
      return (packets, atMs) => moved(map(packets, atMs), atMs);
    },
  },
};

/** What is not whole, and why not. */
const OUTCOMES: Readonly<Record<string, string>> = {
  /** It breaks off and comes back. */
  short: 'complete_with_gaps',
  /** All of it is kept, and nobody can see it. */
  scrambled: 'partial',
};
/** The decoder has reason to complain, or no picture to look at. */
const UNCLEAN: ReadonlySet<string> = new Set(['doubled', 'flipped', 'scrambled', 'sounding']);

describe('odd providers', () => {
  it('are recorded all the same', { timeout: 120_000 }, async ({ onTestFinished }) => {
    const scene = openScene(onTestFinished);
    const certificate = selfSigned();
    writeFileSync(scene.path('ca.pem'), certificate.cert);
    const clip = await loopClip({ gop: 10 });
    const servers = await startOddServers(ODD, clip, certificate);
    onTestFinished(() => servers.close());
    const ids = Object.keys(ODD);
    const list = scene.path('list.m3u');
    const guide = scene.path('guide.xml');
    writeFileSync(list, listText(Object.fromEntries(ids.map((id) => [id, servers.url(id)]))));
    const rows = (of: (id: string) => ReturnType<typeof programme>) =>
      `<tv>${ids.map((id) => guideText(`${id}.tv`, [of(id)]).replace(/<\/?tv>/g, '')).join('')}</tv>`;
    writeFileSync(
      guide,
      rows((id) => programme(`${id}.tv`, 'Later', soon(86_400), 60)),
    );
    const daemon = scene.daemon(
      [
        '--m3u',
        list,
        '--xmltv',
        guide,
        '--max-concurrency',
        '60',
        '--stall-timeout',
        '4s',
        '--first-byte-timeout',
        '6s',
      ],
      {
        env: { NODE_EXTRA_CA_CERTS: scene.path('ca.pem') },
      },
    );
    await daemon.ready();
    const at = soon(4);
    writeFileSync(
      guide,
      rows((id) => programme(`${id}.tv`, id, at, LONG_S)),
    );
    const report = await daemon.sees(
      'all have ended',
      ({ completed, failed }) => completed.length + failed.length === ids.length,
      100_000,
    );
    const find = (id: string) => [...report.completed, ...report.failed].find(({ title }) => title === id);
    for (const id of ids) {
      const item = find(id);
      if (id === 'packed') {
        expect(item).toMatchObject({ outcome: 'empty', outcome_reason: 'upstream_not_media' });
        continue;
      }
      const outcome = OUTCOMES[id] ?? 'complete';
      expect(item, `${id}: outcome`).toMatchObject({ title: id, machine_state: 'published', outcome });
      if (outcome === 'complete') expect(servers.connections(id), `${id}: connections`).toBe(1);
      const path = item?.output_path ?? '';
      const { streams, durationS } = await probe(path);
      const kinds = streams.map(({ type }) => type).toSorted();
      expect(kinds, `${id}: streams`).toEqual(id === 'sounding' ? ['audio'] : ['audio', 'video']);
      if (UNCLEAN.has(id)) continue;
      const { frames, errors } = await decode(path);
      // The clock goes on by the time that passed at each move, and ffmpeg rounds pictures to whole ones of 25 a second.
      const isRounding = (line: string) =>
        id === 'moving' && line.includes('non monotonically increasing dts to muxer');
      const complaints = errors.filter((line) => !isRounding(line));
      expect(complaints, `${id}: complaints`).toEqual([]);
      if (outcome !== 'complete' || id === 'moving') continue;
      expect(frames.length, `${id}: pictures`).toBeGreaterThan(LONG_S * 25);
      expect(breaksOf(frames, CLIP_FRAMES), `${id}: order`).toEqual([]);
      expect(Math.abs(durationS - frames.length * 0.04), `${id}: length`).toBeLessThan(0.2);
    }
    expect(find('scrambled')?.ts_errors?.scrambled).toBeGreaterThan(100);
    expect(find('garbage')?.ts_errors?.sync_losses).toBeGreaterThan(5);
    const unexpected = daemon.lines().filter(({ level }) => Number(level) >= 50);
    expect(unexpected.filter(({ title }) => title !== 'packed')).toEqual([]);
  });
});
