/**
 * How healthy a transport stream is, counted as its packets pass (P4: the ledger's `ts`). Nothing is judged here.
 * Continuity is checked per PID as ISO 13818-1 2.4.3.3 has it: +1 with every payload, one repeat is legal, a
 * discontinuity flag excuses a jump, null packets do not count. The numbers are modulo 16, so one loss in sixteen hides.
 */
import type { TsCounts } from '../domain/ledger.js';
import { CLOCK_HZ, NULL_PID, PACKET_BYTES, PID_COUNT, SYNC_BYTE } from './tsPackets.js';
import { adaptationFlags, pcrAt, ticksBetween } from './tsPackets.js';

/** A PCR comes every 0.1 s at most; further apart than this is a jump (PROTOCOLS §6.2). */
const CLOCK_JUMP_TICKS = CLOCK_HZ / 2;
const UNSEEN = 0xff;
/** Set beside the counter when its one legal repeat has been used. */
const REPEATED = 0x10;

export interface TsHealth {
  count(buffer: Buffer, from: number, to: number): void;
  counts(): TsCounts;
}

export function tsHealth(): TsHealth {
  const last = new Uint8Array(PID_COUNT).fill(UNSEEN);
  const clocks = new Map<number, number>();
  let packets = 0;
  let continuityErrors = 0;
  let transportErrors = 0;
  let scrambled = 0;
  let syncLosses = 0;
  let clockJumps = 0;

  function adaptation(buffer: Buffer, at: number, pid: number): boolean {
    const flags = adaptationFlags(buffer, at);
    const excused = (flags & 0x80) !== 0;
    if ((flags & 0x10) !== 0) {
      const pcr = pcrAt(buffer, at);
      const before = clocks.get(pid);
      if (pcr >= 0) {
        clocks.set(pid, pcr);
        if (before !== undefined && !excused) {
          const step = ticksBetween(before, pcr);
          if (step < 0 || step > CLOCK_JUMP_TICKS) clockJumps++;
        }
      }
    }
    return excused;
  }

  return {
    count(buffer, from, to) {
      for (let at = from; at < to; at += PACKET_BYTES) {
        packets++;
        if (buffer[at] !== SYNC_BYTE) syncLosses++;
        const b1 = buffer[at + 1] ?? 0;
        if ((b1 & 0x80) !== 0) {
          // Nothing else in its header can be trusted.
          transportErrors++;
          continue;
        }
        const pid = ((b1 & 0x1f) << 8) | (buffer[at + 2] ?? 0);
        if (pid === NULL_PID) continue;
        const b3 = buffer[at + 3] ?? 0;
        if ((b3 & 0xc0) !== 0) scrambled++;
        const excused = (b3 & 0x20) !== 0 && adaptation(buffer, at, pid);
        if ((b3 & 0x10) === 0) {
          // Without a payload the counter stands still; only the flag may move it.
          if (excused) last[pid] = b3 & 15;
          continue;
        }
        const cc = b3 & 15;
        const before = last[pid] ?? UNSEEN;
        if (before === UNSEEN || excused || cc === ((before + 1) & 15)) {
          last[pid] = cc;
        } else if (cc === (before & 15) && (before & REPEATED) === 0) {
          last[pid] = cc | REPEATED;
        } else {
          continuityErrors++;
          last[pid] = cc;
        }
      }
    },
    counts: () => ({
      packets,
      continuityErrors,
      transportErrors,
      scrambled,
      syncLosses,
      skippedBytes: 0,
      clockJumps,
      trimmedBytes: 0,
    }),
  };
}
