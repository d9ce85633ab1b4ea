import { describe, expect, it } from 'vitest';
import type { CapturePiece } from '../../src/domain/capture.js';
import { withPiece } from '../../src/domain/capturing.js';
import { NO_TS } from '../../src/domain/ledger.js';
import { aRecording, START } from './aRecording.js';

const SOURCE = { source: 'm3u-1', channel: 'bbc1', index: 0 };

function piece(over: Partial<CapturePiece>): CapturePiece {
  const times = { fromAt: START, toAt: START + 10_000, goodMs: 10_000 };
  return { firstOffset: 0, bytes: 188_000, ...times, ts: NO_TS, ...over };
}

describe('the joints of a recording', () => {
  it('tell what was cut and whether their place is a guess', () => {
    const recording = aRecording({ upstreams: [SOURCE], stretches: [], joins: [], gaps: [], bytes: 0 });
    const first = { ...recording, ...withPiece(recording, SOURCE, piece({})) };
    const at = START + 12_000;
    const second = piece({ firstOffset: 188_000, fromAt: at, toAt: at + 1_000 });
    const join = { removedOverlapS: 4.2, approximate: true, gapS: 0 };
    expect(withPiece(first, SOURCE, { ...second, join }).joins).toEqual([
      { at, kind: 'reconnect', removedOverlapS: 4.2, approximate: true },
    ]);
    expect(withPiece(first, SOURCE, second).joins).toEqual([
      { at, kind: 'reconnect', removedOverlapS: 0, approximate: false },
    ]);
  });

  it('tell how far what came before was behind the time at which it came', () => {
    const recording = aRecording({ upstreams: [SOURCE], stretches: [], joins: [], gaps: [], bytes: 0 });
    const fault = { cause: 'eof', code: 'upstream_ended', at: START + 10_000 } as const;
    const first = { ...recording, ...withPiece(recording, SOURCE, piece({})), lastFault: fault };
    const at = START + 12_000;
    const later = (gapS: number, approximate = false) =>
      withPiece(
        first,
        SOURCE,
        piece({
          firstOffset: 188_000,
          fromAt: at,
          toAt: at + 1_000,
          join: { removedOverlapS: 0, approximate, gapS },
        }),
      );
    const hole = (fromAt: number, toAt: number) => ({ fromAt, toAt, cause: 'eof' });
    expect(later(5).stretches).toMatchObject([{ toAt: START + 7_000 }, { fromAt: at }]);
    expect(later(5).gaps?.at(-1)).toEqual(hole(START + 7_000, at));
    expect(later(0.5).gaps?.at(-1)).toEqual(hole(START + 10_000, START + 10_500));
    expect(later(60).gaps?.at(-1)).toEqual(hole(START, at));
    expect(later(5, true).gaps?.at(-1)).toEqual(hole(START + 10_000, at));
  });
});
