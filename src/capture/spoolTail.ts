/**
 * What the end of a spool says about the stream in it. It is read back at every joint, after a reconnect as after a
 * restart, so that there is one way to go on and nothing to remember (P7).
 */
import type { Clock } from '../io/clock.js';
import { createSlices, type Slices } from './slices.js';
import { streamScan, type SoundUnit, type StreamScan } from './streamScan.js';
import { tableReader } from './tables.js';
import { CLOCK_HZ, PACKET_BYTES, pidAt, SYNC_BYTE, ticksBetween } from './tsPackets.js';
import { writtenSounds, type WrittenSound } from './writtenSound.js';

/** Providers repeat what their buffers hold, 2 to 10 s; rarely more (PROTOCOLS §6.2). */
export const TAIL_S = 30;
const TAIL_BYTES_MAX = 48 * 1024 * 1024;
/** Of the last bytes, to see how many a second has. Those are compared packet by packet, too. */
const LAST_BYTES = 5_000 * PACKET_BYTES;
const READ_BYTES = 5_000 * PACKET_BYTES;
/** A file begins with its tables. */
const HEAD_BYTES = 64 * PACKET_BYTES;
/** After so many it is asked whether the slice is over. */
const ASKED_BYTES = 50 * PACKET_BYTES;

export interface SpoolTail {
  readonly scan: StreamScan;
  /** The last packets, as they stand. */
  readonly last: Buffer;
  readonly sounds: readonly WrittenSound[];
}

type SpoolRead = (offset: number, length: number) => Promise<Buffer>;

/** `bytes`: length of the file, in whole packets; `tailS`: how much of it. Rejects with what the disk says. */
export async function readTail(
  read: SpoolRead,
  bytes: number,
  clock: Clock,
  tailS = TAIL_S,
): Promise<SpoolTail> {
  const wanted = bytes > 0 ? await firstProgramme(read, bytes) : null;
  const slices = createSlices(clock);
  const lastFrom = Math.max(0, bytes - LAST_BYTES);
  const last = await read(lastFrom, bytes - lastFrom);
  let sounds: SoundUnit[] = [];
  const listen = (unit: SoundUnit) => sounds.push(unit);
  const probe = streamScan(null, listen, wanted);
  await scanWhole(probe, last, slices);
  const from = Math.max(0, bytes - tailBytes(probe, last.length, tailS));
  // A stream of few bytes a second is in the last of them as far back as is wanted.
  if (from < lastFrom) sounds = [];
  const scan = from < lastFrom ? streamScan(null, listen, wanted) : probe;
  for (let at = from; at < lastFrom; at += READ_BYTES) {
    const chunk = await read(at, Math.min(READ_BYTES, lastFrom - at));
    await scanWhole(scan, chunk, slices);
  }
  if (scan !== probe) await scanWhole(scan, last, slices);
  scan.end();
  return { scan, last, sounds: writtenSounds(sounds) };
}

async function scanWhole(scan: StreamScan, chunk: Buffer, slices: Slices): Promise<void> {
  const whole = chunk.length - (chunk.length % PACKET_BYTES);
  for (let at = 0; at < whole; at += PACKET_BYTES) {
    if (at % ASKED_BYTES === 0 && slices.isOver()) await slices.turn();
    if (chunk[at] === SYNC_BYTE) scan.push(chunk, at, at + PACKET_BYTES);
  }
}

/** The programme that the file begins with, whatever the order of several is at its end. */
async function firstProgramme(read: SpoolRead, bytes: number): Promise<number | null> {
  const head = await read(0, Math.min(bytes, HEAD_BYTES));
  const reader = tableReader();
  for (let at = 0; at + PACKET_BYTES <= head.length && reader.programme() === null; at += PACKET_BYTES)
    if (head[at] === SYNC_BYTE) reader.push(head, at, pidAt(head, at));
  return reader.programme();
}

/** How far to go back for as many seconds as are wanted, by the rate of the last bytes. */
function tailBytes(probe: StreamScan, lastBytes: number, tailS: number): number {
  const first = probe.firstPcr();
  const ticks = first < 0 ? 0 : ticksBetween(first, probe.lastPcr());
  if (ticks <= 0) return 8 * lastBytes;
  const bytes = Math.min(TAIL_BYTES_MAX, (lastBytes * tailS * CLOCK_HZ) / ticks);
  return Math.ceil(bytes / PACKET_BYTES) * PACKET_BYTES;
}
