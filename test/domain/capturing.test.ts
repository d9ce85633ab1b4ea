import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CaptureFault, CapturePiece } from '../../src/domain/capture.js';
import {
  backoffMs,
  candidates,
  closeAt,
  forgiveAll,
  isSpent,
  openAt,
  shouldLeave,
  withFault,
  withLastGap,
  withPiece,
} from '../../src/domain/capturing.js';
import { refKey } from '../../src/domain/channel.js';
import { withinSpool, withSpoolTail } from '../../src/domain/foundSpool.js';
import { NO_TS, type GapCause } from '../../src/domain/ledger.js';
import type { Recording } from '../../src/domain/recording.js';
import { aRecording, START, STOP } from './aRecording.js';

const FIRST = { source: 'm3u-1', channel: 'bbc1', index: 0 };
const SECOND = { source: 'm3u-1', channel: 'bbc1', index: 1 };
const OPEN = START - 15_000;

function fresh(over: Partial<Recording> = {}): Recording {
  return aRecording({
    upstreams: [FIRST, SECOND],
    startedAt: null,
    stretches: [],
    gaps: [],
    bytes: 0,
    attempts: 0,
    ...over,
  });
}

function piece(fromAt: number, toAt: number, over: Partial<CapturePiece> = {}): CapturePiece {
  const bytes = (toAt - fromAt) * 188;
  const ts = { ...NO_TS, packets: toAt - fromAt };
  return { firstOffset: 0, bytes, fromAt, toAt, goodMs: toAt - fromAt, ts, ...over };
}

type FaultFacts = Pick<CaptureFault, 'at' | 'cause' | 'code' | 'remedy' | 'piece'>;
const fault = (at: number, over: Partial<FaultFacts> = {}): FaultFacts => ({
  at,
  cause: 'reset',
  code: 'upstream_reset',
  remedy: 'retry',
  piece: null,
  ...over,
});

/** Faults one after another, as the chart takes them in. */
function worn(recording: Recording, faults: readonly FaultFacts[], source = FIRST): Recording {
  return faults.reduce((sum, one) => ({ ...sum, ...withFault(sum, source, one) }), recording);
}

describe('the window of a capture', () => {
  it('opens before the start by its padding and closes after the stop by its own', () => {
    expect(openAt(fresh())).toBe(OPEN);
    expect(closeAt(fresh())).toBe(STOP + 60_000);
  });

  it('closes earlier where the longest capture allowed is over, counted from the first byte asked for', () => {
    expect(closeAt(fresh({ durationMsMax: 60_000 }))).toBe(STOP + 60_000);
    expect(closeAt(fresh({ durationMsMax: 60_000, startedAt: START }))).toBe(START + 60_000);
    expect(closeAt(fresh({ durationMsMax: 9e9, startedAt: START }))).toBe(STOP + 60_000);
  });
});

describe('the first piece', () => {
  it('was on before it came, as far as that is seen while it comes', () => {
    const refused = { ...fresh(), ...withFault(fresh(), FIRST, fault(OPEN)) };
    const begun = { ...refused, ...withPiece(refused, FIRST, piece(START, START + 400)) };
    expect(begun.gaps).toEqual([{ fromAt: OPEN, toAt: START, cause: 'reset' }]);
    const later = { ...begun, ...withPiece(begun, FIRST, piece(START - 4_000, START + 10_000)) };
    expect(later.gaps).toEqual([{ fromAt: OPEN, toAt: START - 4_000, cause: 'reset' }]);
    expect(later.stretches).toMatchObject([{ fromAt: START - 4_000, toAt: START + 10_000 }]);
    const all = { ...later, ...withPiece(later, FIRST, piece(OPEN - 9_000, START + 20_000)) };
    expect(all.gaps).toEqual([]);
  });

  it('tells what is missing in it from a fifth of a second on', () => {
    const gap = (fromAt: number, ms: number) => ({ fromAt, toAt: fromAt + ms, cause: 'stall' as const });
    const gaps = [gap(START + 2_000, 190), gap(START + 3_000, 200), gap(START + 5_000, 480)];
    const told = withPiece(fresh(), FIRST, piece(OPEN, START + 10_000, { gaps }));
    expect(told.gaps).toEqual(gaps.slice(1));
  });
});

describe('a spool after a crash', () => {
  const known = { ...fresh(), ...withPiece(fresh(), FIRST, piece(START, START + 10_000)) };

  it('that holds less than was known takes back what it does not hold', () => {
    const half = { ...known, ...withinSpool(known, known.bytes / 2) };
    expect(half).toMatchObject({
      bytes: known.bytes / 2,
      stretches: [{ fromAt: START, toAt: START + 5_000 }],
    });
    expect(withinSpool(known, 0)).toEqual({ bytes: 0, stretches: [] });
    const restart = {
      ...known,
      ...withinSpool(known, 0),
      lastFault: { cause: 'restart', code: 'restart', at: 0 },
    };
    const next = {
      ...restart,
      ...withPiece(restart as Recording, FIRST, piece(START + 60_000, START + 70_000)),
    };
    expect(next.stretches).toHaveLength(1);
    expect(next.gaps.at(-1)).toMatchObject({ toAt: START + 60_000, cause: 'restart' });
  });

  it('that holds more than was known after an outage does not swallow the outage', () => {
    const broken = { ...known, ...withFault(known, FIRST, fault(START + 10_000)) };
    const tail = { bytes: known.bytes + 1880, writtenAt: START + 600_000 };
    const found = { ...broken, ...withSpoolTail(broken, tail) };
    expect(found.gaps.at(-1)).toEqual({ fromAt: START + 10_000, toAt: START + 600_000, cause: 'reset' });
    expect(found.stretches.at(-1)).toMatchObject({ firstOffset: known.bytes, bytes: 1880 });
  });

  it.each([
    [20_000, START + 580_000],
    [900_000, START + 10_000],
    [0, START + 600_000],
  ])('that holds %d ms of a piece that nobody heard of tells no hole where they are', (unheardMs, fromAt) => {
    const broken = { ...known, ...withFault(known, FIRST, fault(START + 10_000)) };
    const tail = { bytes: known.bytes + 1880, writtenAt: START + 600_000, unheardMs };
    const found = { ...broken, ...withSpoolTail(broken, tail) };
    const hole = { fromAt: START + 10_000, toAt: fromAt, cause: 'reset' };
    expect(found.gaps.slice(known.gaps.length)).toEqual(fromAt > START + 10_000 ? [hole] : []);
    expect(found.stretches.at(-1)).toMatchObject({ fromAt, toAt: START + 600_000, bytes: 1880 });
    // What comes next is missing for another reason.
    expect(found.lastFault).toBeNull();
  });

  it('that holds a first piece that nobody heard of begins where its clock says, not when it was asked for', () => {
    const asked = fresh({ startedAt: START, current: FIRST });
    const failed = { ...asked, ...withFault(asked, FIRST, fault(START + 1_000)) };
    const tail = { bytes: 1880, writtenAt: START + 600_000, unheardMs: 20_000 };
    const found = { ...failed, ...withSpoolTail(failed, tail) };
    expect(found.stretches).toMatchObject([{ fromAt: START + 580_000, toAt: START + 600_000 }]);
    expect(found.gaps).toEqual([
      { fromAt: OPEN, toAt: START, cause: 'late_start' },
      { fromAt: START, toAt: START + 580_000, cause: 'reset' },
    ]);
    const unknown = { ...fresh(), ...withSpoolTail(fresh(), tail) };
    expect(unknown.stretches).toMatchObject([{ fromAt: START + 580_000, toAt: START + 600_000 }]);
    const sentBefore = { ...asked, ...withSpoolTail(asked, { ...tail, unheardMs: 900_000 }) };
    expect(sentBefore.stretches).toMatchObject([{ fromAt: START, toAt: START + 600_000 }]);
  });
});

describe('a joint', () => {
  const before = { ...fresh(), ...withPiece(fresh(), FIRST, piece(START, START + 10_000)) };
  const broken = { ...before, ...withFault(before, FIRST, fault(START + 10_000)) };
  const next = (gapS: number) =>
    piece(START + 12_000, START + 20_000, {
      firstOffset: before.bytes,
      join: { removedOverlapS: 1.5, approximate: false, gapS },
    });

  it('leaves no gap where the provider sent again what was missed', () => {
    const joined = { ...broken, ...withPiece(broken, FIRST, next(0)) };
    expect(joined.gaps).toEqual(broken.gaps);
    expect(joined.stretches.at(-1)?.fromAt).toBe(START + 10_000);
    expect(joined.joins).toEqual([
      { at: START + 12_000, kind: 'reconnect', removedOverlapS: 1.5, approximate: false },
    ]);
  });

  it('leaves a gap as long as what is missing in the stream, and keeps it as the piece grows', () => {
    const joined = { ...broken, ...withPiece(broken, FIRST, next(0.5)) };
    const gap = { fromAt: START + 10_000, toAt: START + 10_500, cause: 'reset' };
    expect(joined.gaps.at(-1)).toEqual(gap);
    const grown = { ...joined, ...withPiece(joined, FIRST, { ...next(0.5), toAt: START + 30_000 }) };
    expect(grown.gaps).toEqual(joined.gaps);
    expect(grown.stretches.at(-1)).toMatchObject({ fromAt: START + 10_500, toAt: START + 30_000 });
  });

  it('is never longer than the silence was, where its length is a guess', () => {
    const guessed = { ...next(99), join: { removedOverlapS: 0, approximate: true, gapS: 99 } };
    const joined = { ...broken, ...withPiece(broken, FIRST, guessed) };
    expect(joined.gaps.at(-1)).toEqual({ fromAt: START + 10_000, toAt: START + 12_000, cause: 'reset' });
  });
});

describe('what a connection wrote', () => {
  it('blames no provider for the time before it was asked first', () => {
    const joined = worn(fresh({ startedAt: START + 60_000 }), [
      fault(START + 61_000, { cause: 'http_404', code: 'upstream_http' }),
    ]);
    const gaps = [
      { fromAt: OPEN, toAt: START + 60_000, cause: 'late_start' },
      { fromAt: START + 60_000, toAt: START + 90_000, cause: 'http_404' },
    ];
    expect(withPiece(joined, FIRST, piece(START + 90_000, START + 99_000)).gaps).toEqual(gaps);
    expect(withLastGap(joined, START + 90_000).gaps).toEqual(gaps);
    const tail = { bytes: 188, writtenAt: START + 91_000, unheardMs: 1_000 };
    expect(withSpoolTail(joined, tail).gaps).toEqual(gaps);
    const inTime = { ...joined, startedAt: OPEN + 50 };
    expect(withLastGap(inTime, START).gaps).toEqual([{ fromAt: OPEN, toAt: START, cause: 'http_404' }]);
  });

  it('becomes a stretch, and what was missing before it a gap with the cause that was known', () => {
    const late = { ...fresh(), ...withPiece(fresh(), FIRST, piece(START, START + 9_000)) };
    expect(late.gaps).toEqual([{ fromAt: OPEN, toAt: START, cause: 'late_start' }]);
    const broken = worn(late, [fault(START + 9_500, { cause: 'stall' })]);
    const again = withPiece(
      broken,
      SECOND,
      piece(START + 12_000, START + 20_000, { firstOffset: broken.bytes }),
    );
    expect(again.gaps?.[1]).toEqual({ fromAt: START + 9_000, toAt: START + 12_000, cause: 'stall' });
    expect(again.joins).toMatchObject([{ at: START + 12_000, kind: 'failover' }]);
    expect(again.lastFault).toBeNull();
  });

  it('grows while the connection lasts, and is counted once', () => {
    const one = { ...fresh(), ...withPiece(fresh(), FIRST, piece(START, START + 1_000)) };
    const two = { ...one, ...withPiece(one, FIRST, piece(START, START + 5_000)) };
    expect(two.stretches).toMatchObject([{ fromAt: START, toAt: START + 5_000, bytes: 5_000 * 188 }]);
    expect(two.ts.packets).toBe(5_000);
    expect(two.bytes).toBe(5_000 * 188);
    expect(two.joins).toEqual([]);
  });

  it.each([
    ['the same upstream again', FIRST, 'reset', 'reconnect'],
    ['another upstream', SECOND, 'reset', 'failover'],
    ['a restart', FIRST, 'restart', 'restart'],
    ['a slot that was taken away', SECOND, 'preempted', 'preempted'],
  ] as const)('is joined by what came between: %s', (_, source, cause, kind) => {
    const one = { ...fresh(), ...withPiece(fresh(), FIRST, piece(START, START + 1_000)) };
    const broken = worn(one, [fault(START + 1_500, { cause })]);
    const next = withPiece(broken, source, piece(START + 3_000, START + 4_000, { firstOffset: 188_000 }));
    expect(next.joins).toMatchObject([{ kind }]);
  });

  it('is known from the spool after a crash, also when no checkpoint was', () => {
    const tail = { bytes: 376, writtenAt: START + 4_000 };
    const begun = fresh({ startedAt: START, current: SECOND });
    expect(withSpoolTail(begun, tail)).toMatchObject({
      bytes: 376,
      stretches: [{ source: SECOND, fromAt: START, toAt: START + 4_000, bytes: 376, firstOffset: 0 }],
    });
    const known = { ...begun, ...withPiece(begun, FIRST, piece(START, START + 1)) };
    expect(withSpoolTail(known, tail).stretches).toMatchObject([{ toAt: START + 4_000, bytes: 376 }]);
    expect(withSpoolTail(known, { bytes: 188, writtenAt: START + 4_000 })).toEqual({});
  });
});

describe('every moment between the first stretch and the last', () => {
  const connection = fc.record({
    silentMs: fc.integer({ min: 0, max: 40_000 }),
    checkpointsMs: fc.array(fc.integer({ min: 1, max: 20_000 }), { maxLength: 4 }),
    source: fc.constantFrom(FIRST, SECOND),
    cause: fc.constantFrom<GapCause>('reset', 'stall', 'http_503', 'restart', 'preempted', 'disk_full'),
    /** The process died, and the spool knows more than the last checkpoint said. */
    crashMs: fc.option(fc.integer({ min: 0, max: 9_000 }), { nil: null }),
  });

  it('is in one stretch or in one gap, whatever came and went', () => {
    fc.assert(
      fc.property(
        fc.array(connection, { maxLength: 8 }),
        fc.integer({ min: 0, max: 9_000 }),
        (list, restMs) => {
          let recording = fresh();
          let at = OPEN;
          let faulty = false;
          for (const { silentMs, checkpointsMs, source, cause, crashMs } of list) {
            at += silentMs;
            const fromAt = at;
            const firstOffset = recording.bytes;
            for (const ms of checkpointsMs) {
              at += ms;
              const wrote = piece(fromAt, at, { firstOffset });
              recording = { ...recording, ...withPiece(recording, source, wrote) };
            }
            if (crashMs !== null && checkpointsMs.length > 0) {
              at += crashMs;
              const tail = { bytes: recording.bytes + 188 * crashMs, writtenAt: at };
              recording = { ...recording, ...withSpoolTail(recording, tail) };
            }
            recording = worn(recording, [fault(at, { cause })], source);
            faulty = true;
          }
          at += restMs;
          recording = { ...recording, ...withLastGap(recording, at) };
          const spans = [...recording.stretches, ...recording.gaps].toSorted(
            (a, b) => a.fromAt - b.fromAt || a.toAt - b.toAt,
          );
          let until = OPEN;
          for (const { fromAt, toAt } of spans) {
            expect(fromAt).toBe(until);
            until = toAt;
          }
          if (faulty) expect(until).toBe(at);
          const bytes = recording.stretches.reduce((sum, stretch) => sum + stretch.bytes, 0);
          expect(bytes).toBe(recording.bytes);
          recording.stretches.reduce((offset, stretch) => {
            expect(stretch.firstOffset).toBe(offset);
            return offset + stretch.bytes;
          }, 0);
        },
      ),
    );
  });
});

describe('an upstream', () => {
  it('is spent at once by what does not get better, and left', () => {
    const spent = worn(fresh(), [fault(START, { remedy: 'spent', cause: 'http_404' })]);
    expect(isSpent(spent, FIRST)).toBe(true);
    expect(candidates(spent)).toEqual([SECOND]);
    expect(shouldLeave(spent, FIRST, 'spent')).toBe(true);
  });

  it('of another container than the file is asked last, also when all are fresh again, until it fits', () => {
    const mismatch = fault(START, { remedy: 'spent', cause: 'not_media', code: 'container_mismatch' });
    const unfit = worn(fresh(), [mismatch]);
    expect(candidates(unfit)).toEqual([SECOND]);
    const forgiven = { ...unfit, ...forgiveAll(unfit) };
    expect(candidates(forgiven)).toEqual([SECOND, FIRST]);
    const gone = worn(forgiven, [fault(START, { remedy: 'spent', cause: 'http_404', piece: null })]);
    expect(candidates({ ...gone, ...forgiveAll(gone) })).toEqual([SECOND, FIRST]);
    const fits = {
      ...forgiven,
      ...withPiece(forgiven, FIRST, piece(START, START + 60_000, { goodMs: 60_000 })),
    };
    expect(candidates(fits)).toEqual([FIRST, SECOND]);
  });

  it('is spent after three tries without thirty seconds of good stream', () => {
    const two = worn(fresh(), [fault(START), fault(START + 1_000)]);
    expect(shouldLeave(two, FIRST, 'retry')).toBe(false);
    expect(shouldLeave(worn(two, [fault(START + 2_000)]), FIRST, 'retry')).toBe(true);
  });

  it('is spent after a minute of outage, however few its tries', () => {
    const one = worn(fresh(), [fault(START), fault(START + 60_000)]);
    expect(isSpent(one, FIRST)).toBe(true);
    expect(isSpent(worn(fresh(), [fault(START), fault(START + 59_999)]), FIRST)).toBe(false);
  });

  it('starts afresh once it was good for thirty seconds', () => {
    const two = worn(fresh(), [fault(START), fault(START + 1_000)]);
    const good = piece(START + 2_000, START + 32_000);
    const third = worn(two, [fault(START + 33_000, { piece: good })]);
    expect(isSpent(third, FIRST)).toBe(false);
    expect(third.faults).toBe(1);
    const during = { ...two, ...withPiece(two, FIRST, good) };
    expect(during).toMatchObject({ faults: 0, health: { [refKey(FIRST)]: { tries: 0, spent: false } } });
  });

  it('is not left for the last of them: what may still come is waited for', () => {
    const both = worn(
      worn(fresh(), [fault(START, { remedy: 'spent' })], SECOND),
      [0, 1, 2].map((s) => fault(START + s)),
    );
    expect(candidates(both)).toEqual([]);
    expect(shouldLeave(both, FIRST, 'retry')).toBe(false);
    expect(candidates({ ...both, ...forgiveAll(both) })).toEqual([FIRST, SECOND]);
  });

  it.each(['no_slot', 'backoff', 'disk'] as const)('is not worn by %s', (remedy) => {
    const many = worn(
      fresh(),
      Array.from({ length: 20 }, (_, index) => fault(START + index * 10_000, { remedy })),
    );
    expect(isSpent(many, FIRST)).toBe(false);
    expect(many.faults).toBe(20);
  });

  it('is the only one where no other may be used', () => {
    const { patience } = fresh();
    expect(candidates(fresh({ patience: { ...patience, fallback: false } }))).toEqual([FIRST]);
  });
});

describe('the time until the next try', () => {
  const { patience } = fresh();

  const nothing = { retryAfterMs: null, goodMs: 0 };

  it('doubles from the first to the cap', () => {
    const waits = [0, 1, 2, 3, 8, 9, 1_000].map((faults) => backoffMs({ faults, patience }, nothing));
    expect(waits).toEqual([250, 250, 500, 1_000, 30_000, 30_000, 30_000]);
  });

  it('is what the provider asks for, up to two minutes', () => {
    const asked = (faults: number, retryAfterMs: number, goodMs = 0) =>
      backoffMs({ faults, patience }, { retryAfterMs, goodMs });
    expect(asked(1, 90_000)).toBe(90_000);
    expect(asked(1, 3_600_000)).toBe(120_000);
    expect(asked(9, 1_000)).toBe(30_000);
    expect(asked(9, 90_000, 3_000)).toBe(90_000);
  });

  it('is no longer than what failed had lasted, if it gave anything', () => {
    const waits = [1, 400, 3_000, 60_000].map((goodMs) =>
      backoffMs({ faults: 9, patience }, { ...nothing, goodMs }),
    );
    expect(waits).toEqual([250, 400, 3_000, 30_000]);
  });

  it('begins anew behind every five seconds of stream: a provider that cuts each connection is asked at once', () => {
    const cut = (recording: Recording, at: number, goodMs: number) => {
      const given = piece(at - goodMs, at, { goodMs });
      const known = { ...recording, ...withPiece(recording, FIRST, given) };
      return { ...known, ...withFault(known, FIRST, fault(at, { piece: given })) };
    };
    let often = fresh();
    for (let index = 1; index <= 12; index += 1) often = cut(often, START + index * 8_000, 6_000);
    expect(often.faults).toBe(1);
    expect(isSpent(often, FIRST)).toBe(true);
    expect(cut(often, START + 200_000, 2_000).faults).toBe(2);
  });
});

describe('what lies inside a piece', () => {
  const splice = { removedOverlapS: 0, approximate: true, gapS: 0 };
  const inside = piece(OPEN, OPEN + 60_000, {
    splices: [
      { ...splice, at: OPEN + 20_000 },
      { ...splice, at: OPEN + 40_000, gapS: 3 },
    ],
    gaps: [{ fromAt: OPEN + 50_000, toAt: OPEN + 52_000, cause: 'stall' }],
  });

  it('is noted once, however often the piece is told of', () => {
    let recording = fresh();
    const begun = piece(OPEN, OPEN + 30_000, { splices: [{ ...splice, at: OPEN + 20_000 }] });
    for (const told of [begun, inside, inside]) {
      recording = { ...recording, ...withPiece(recording, FIRST, told) };
    }
    expect(recording.joins).toEqual([
      { at: OPEN + 20_000, kind: 'discontinuity', removedOverlapS: 0, approximate: true },
      { at: OPEN + 40_000, kind: 'discontinuity', removedOverlapS: 0, approximate: true },
    ]);
    expect(recording.gaps).toEqual([
      { fromAt: OPEN + 37_000, toAt: OPEN + 40_000, cause: 'stall' },
      { fromAt: OPEN + 50_000, toAt: OPEN + 52_000, cause: 'stall' },
    ]);
    expect(recording.stretches).toHaveLength(1);
  });

  it('leaves what was known of earlier pieces alone', () => {
    let recording = { ...fresh(), ...withPiece(fresh(), FIRST, inside) };
    recording = { ...recording, ...withFault(recording, FIRST, fault(OPEN + 60_000)) };
    const later = piece(OPEN + 70_000, OPEN + 90_000, {
      firstOffset: inside.bytes,
      splices: [{ ...splice, at: OPEN + 80_000 }],
    });
    for (let told = 0; told < 2; told++) recording = { ...recording, ...withPiece(recording, FIRST, later) };
    expect(recording.joins.map(({ kind }) => kind)).toEqual([
      'discontinuity',
      'discontinuity',
      'reconnect',
      'discontinuity',
    ]);
    expect(recording.gaps.map(({ cause }) => cause)).toEqual(['stall', 'stall', 'reset']);
  });
});
