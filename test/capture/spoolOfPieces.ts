/** A spool in memory that pieces are recorded into one after another, by the parts that a capture is made of. */
import { createHash } from 'node:crypto';
import { joiner } from '../../src/capture/joiner.js';
import { packetAligner } from '../../src/capture/packetAligner.js';
import { packetQueue } from '../../src/capture/packetQueue.js';
import { systemClock } from '../../src/io/clock.js';
import { readTail } from '../../src/capture/spoolTail.js';
import { trimSpool } from '../../src/capture/spoolTrim.js';
import { startPoint } from '../../src/capture/startPoint.js';
import { tsHealth } from '../../src/capture/tsHealth.js';
import { hasPayload, PACKET_BYTES, payloadAt, pcrAt, pesTimesAt } from '../../src/capture/tsPackets.js';
import { pidAt, startsUnit, ticksBetween } from '../../src/capture/tsPackets.js';
import type { PieceJoin } from '../../src/domain/capture.js';
import { shift } from '../../src/demo/tsFields.js';
import type { DiskFile } from '../../src/io/disk.js';

export interface Recorded {
  readonly spool: Buffer;
  readonly join: PieceJoin | null;
  /** Of what the spool ended with. */
  readonly trimmedBytes: number;
  readonly heldBackBytes: number;
  /** What was added to the clock of its end. */
  readonly movedTicks: number | null;
}

export interface Arrival {
  /** Null: nobody knows. */
  readonly silentMs?: number | null;
  /** When each byte comes; all at once where it is left out. */
  readonly msPerByte?: number;
  readonly chunkBytes?: number;
  /** The first chunk comes at once, and all the rest together so long after it. */
  readonly lumpMs?: number;
  /** How long before the first byte is taken it had come. */
  readonly untakenMs?: number;
  /** What was added to the clock of the spool's end, where that is known. */
  readonly movedTicks?: number | null;
}

/** What the spool holds after one more piece; `spool` is left as it is. */
export async function recordPiece(spool: Buffer, piece: Buffer, arrival: Arrival = {}): Promise<Recorded> {
  const { silentMs = 0, msPerByte = 0, chunkBytes = 4_000, lumpMs = 0 } = arrival;
  const { untakenMs = 0, movedTicks = null } = arrival;
  let file: Buffer = Buffer.from(spool);
  const { bytes, trimmedBytes } = await trimSpool(
    memoryFile(
      () => file,
      (now) => (file = now),
    ),
  );
  const tail =
    bytes > 0
      ? await readTail(async (offset, length) => file.subarray(offset, offset + length), bytes, systemClock)
      : null;
  const queue = packetQueue();
  const put = (buffer: Buffer, from: number, to: number, came: number) =>
    queue.append(buffer, from, to, came);
  let mono = 0;
  const joint = tail && joiner({ tail, silentMs, cameMono: -untakenMs, movedTicks }, put);
  const start = startPoint(put);
  const entrance = joint ?? start;
  const aligner = packetAligner((buffer, from, to) => entrance.push(buffer, from, to, mono));
  for (let at = 0; at < piece.length; at += chunkBytes) {
    mono = at * msPerByte + (at > 0 ? lumpMs : 0);
    aligner.push(Buffer.from(piece.subarray(at, at + chunkBytes)));
  }
  aligner.end();
  entrance.end();
  queue.seal();
  const written = Buffer.concat(queue.peek(queue.pendingBytes()));
  return {
    spool: Buffer.concat([file, written]),
    join: joint?.join() ?? null,
    trimmedBytes,
    heldBackBytes: entrance.heldBackBytes(),
    movedTicks: joint ? joint.movedTicks() : 0,
  };
}

export async function recordPieces(pieces: readonly Buffer[], arrival: Arrival = {}): Promise<Recorded> {
  let recorded: Recorded = {
    spool: Buffer.alloc(0),
    join: null,
    trimmedBytes: 0,
    heldBackBytes: 0,
    movedTicks: null,
  };
  for (const piece of pieces)
    recorded = await recordPiece(recorded.spool, piece, { movedTicks: recorded.movedTicks, ...arrival });
  return recorded;
}

export function memoryFile(get: () => Buffer, set: (bytes: Buffer) => void): DiskFile {
  return {
    write: async (chunks) => set(Buffer.concat([get(), ...chunks])),
    read: async (offset, length) => Buffer.from(get().subarray(offset, offset + length)),
    truncate: async (bytes) => set(get().subarray(0, bytes)),
    datasync: async () => undefined,
    bytes: async () => get().length,
    close: async () => undefined,
  };
}

export function eachPacket(bytes: Buffer, visit: (at: number) => void): void {
  for (let at = 0; at + PACKET_BYTES <= bytes.length; at += PACKET_BYTES) visit(at);
}

/** Every PES packet of a PID in its order, as a hash of what it carries; the last one as far as it goes. */
export function payloads(bytes: Buffer, pid: number): string[] {
  const units: Buffer[][] = [];
  eachPacket(bytes, (at) => {
    if (pidAt(bytes, at) !== pid || !hasPayload(bytes, at)) return;
    let from = payloadAt(bytes, at);
    if (startsUnit(bytes, at)) {
      units.push([]);
      from += 9 + (bytes[from + 8] ?? 0);
    }
    units.at(-1)?.push(bytes.subarray(from, at + PACKET_BYTES));
  });
  return units.map((unit) => createHash('sha1').update(Buffer.concat(unit)).digest('hex').slice(0, 12));
}

/** What is wrong with a file by its packet headers alone. */
export function faultsOf(bytes: Buffer): string[] {
  const faults: string[] = [];
  if (bytes.length % PACKET_BYTES !== 0) faults.push('a torn packet');
  const health = tsHealth();
  health.count(bytes, 0, bytes.length);
  const { continuityErrors, syncLosses } = health.counts();
  if (continuityErrors > 0) faults.push(`${continuityErrors} continuity errors`);
  if (syncLosses > 0) faults.push(`${syncLosses} sync losses`);
  const clocks = new Map<number, number>();
  const stamps = new Map<number, number>();
  eachPacket(bytes, (at) => {
    const pid = pidAt(bytes, at);
    const pcr = pcrAt(bytes, at);
    const clock = clocks.get(pid) ?? -1;
    if (pcr >= 0 && clock >= 0 && ticksBetween(clock, pcr) <= 0)
      faults.push(`the clock of ${pid} goes back at ${at}`);
    if (pcr >= 0) clocks.set(pid, pcr);
    const dts = pesTimesAt(bytes, at)?.dts ?? -1;
    const stamp = stamps.get(pid) ?? -1;
    if (dts >= 0 && stamp >= 0 && ticksBetween(stamp, dts) <= 0)
      faults.push(`the DTS of ${pid} goes back at ${at}`);
    if (dts >= 0) stamps.set(pid, dts);
  });
  return faults;
}

/** The same encode from another multiplexer: other PIDs (not the tables'), another clock, other counters. */
export function remuxed(
  bytes: Buffer,
  pids: ReadonlyMap<number, number>,
  ticks: number,
  counters = 5,
): Buffer {
  const copy = Buffer.from(bytes);
  eachPacket(copy, (at) => {
    const pid = pids.get(pidAt(copy, at)) ?? pidAt(copy, at);
    copy[at + 1] = ((copy[at + 1] ?? 0) & 0xe0) | (pid >> 8);
    copy[at + 2] = pid & 0xff;
    copy[at + 3] = ((copy[at + 3] ?? 0) & 0xf0) | (((copy[at + 3] ?? 0) + counters) & 15);
    shift(copy, at, ticks);
  });
  return copy;
}
