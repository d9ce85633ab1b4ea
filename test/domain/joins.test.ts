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
});
