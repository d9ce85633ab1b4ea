import { describe, expect, it } from 'vitest';
import { NO_TS } from '../../src/domain/ledger.js';
import { tsHealth } from '../../src/capture/tsHealth.js';
import { PACKET_BYTES } from '../../src/capture/tsPackets.js';

interface Fields {
  readonly pid?: number;
  readonly cc?: number;
  readonly payload?: boolean;
  readonly tei?: boolean;
  readonly scrambled?: boolean;
  /** Flags of the adaptation field. */
  readonly flags?: number;
  readonly pcr?: number;
}

function packet({ pid = 256, cc = 0, payload = true, tei, scrambled, flags, pcr }: Fields): Buffer {
  const bytes = Buffer.alloc(PACKET_BYTES, 0xff);
  const adaptation = flags !== undefined || pcr !== undefined || !payload;
  bytes[0] = 0x47;
  bytes[1] = (tei ? 0x80 : 0) | (pid >> 8);
  bytes[2] = pid & 0xff;
  bytes[3] = (scrambled ? 0x80 : 0) | (adaptation ? 0x20 : 0) | (payload ? 0x10 : 0) | cc;
  if (adaptation) {
    bytes[4] = payload ? 20 : 183;
    bytes[5] = (flags ?? 0) | (pcr === undefined ? 0 : 0x10);
    if (pcr !== undefined) {
      bytes.writeUInt32BE(Math.floor(pcr / 2), 6);
      bytes[10] = ((pcr & 1) << 7) | 0x7e;
    }
  }
  return bytes;
}

function counts(...fields: Fields[]) {
  const bytes = Buffer.concat(fields.map(packet));
  const health = tsHealth();
  health.count(bytes, 0, bytes.length);
  return health.counts();
}

const run = (...ccs: number[]) => ccs.map((cc) => ({ cc }));

describe('health of a transport stream', () => {
  it('finds nothing in a good one, over the wrap of the counter', () => {
    expect(counts(...run(14, 15, 0, 1))).toEqual({ ...NO_TS, packets: 4 });
  });

  it('counts a jump of the counter once, per PID', () => {
    expect(counts(...run(1, 2, 5, 6)).continuityErrors).toBe(1);
    expect(counts({ pid: 1, cc: 3 }, { pid: 2, cc: 9 }, { pid: 1, cc: 4 }).continuityErrors).toBe(0);
  });

  it('allows one repeat of a packet and no second', () => {
    expect(counts(...run(1, 1, 2, 2, 3)).continuityErrors).toBe(0);
    expect(counts(...run(1, 1, 1, 2)).continuityErrors).toBe(1);
  });

  it('lets a packet without payload keep the counter', () => {
    expect(counts({ cc: 1 }, { cc: 1, payload: false }, { cc: 2 }).continuityErrors).toBe(0);
  });

  it('excuses a jump that is flagged, also when the flag comes without payload', () => {
    expect(counts({ cc: 1 }, { cc: 9, flags: 0x80 }, { cc: 10 }).continuityErrors).toBe(0);
    const marked = counts({ cc: 1 }, { cc: 8, flags: 0x80, payload: false }, { cc: 9 });
    expect(marked.continuityErrors).toBe(0);
  });

  it('ignores null packets and trusts nothing in a packet flagged as damaged', () => {
    expect(counts({ pid: 0x1fff, cc: 1 }, { pid: 0x1fff, cc: 9 }).continuityErrors).toBe(0);
    expect(counts({ cc: 1 }, { cc: 9, tei: true }, { cc: 2 })).toEqual({
      ...NO_TS,
      packets: 3,
      transportErrors: 1,
    });
  });

  it('counts scrambled packets', () => {
    expect(counts({ cc: 1, scrambled: true }, { cc: 2 }).scrambled).toBe(1);
  });

  it('counts a clock that goes back or leaps, unless it is flagged, and not its wrap', () => {
    const clock = (...pcrs: number[]) => counts(...pcrs.map((pcr, i) => ({ cc: i, pcr }))).clockJumps;
    expect(clock(0, 3_600, 7_200)).toBe(0);
    expect(clock(2 ** 33 - 1_000, 2_600)).toBe(0);
    expect(clock(90_000, 0)).toBe(1);
    expect(clock(0, 90_000)).toBe(1);
    expect(counts({ cc: 0, pcr: 90_000 }, { cc: 1, pcr: 5, flags: 0x80 }).clockJumps).toBe(0);
  });
});
