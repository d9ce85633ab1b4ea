import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Gap, GapCause, Outcome } from '../../src/domain/ledger.js';
import { judgeOutcome, type OutcomeFacts } from '../../src/domain/outcome.js';
import { OUTCOME_REASONS } from '../../src/domain/outcomeReasons.js';

const START = 1_000_000;
const STOP = START + 600_000;

const facts = (over: Partial<OutcomeFacts> = {}): OutcomeFacts => ({
  startAt: START,
  stopAt: STOP,
  stretches: [{ fromAt: START - 15_000, toAt: STOP + 60_000 }],
  gaps: [],
  bytes: 1000,
  attempts: 1,
  joinedInProgress: false,
  earlyEnd: null,
  lastCause: null,
  missedReason: '',
  ...over,
});

describe('the outcome of a recording', () => {
  it('is complete when every second is there, and padding is never a gap', () => {
    expect(judgeOutcome(facts())).toEqual({ outcome: 'complete', reason: '', coverage: 1, gaps: [] });
    const exact = facts({ stretches: [{ fromAt: START, toAt: STOP }] });
    expect(judgeOutcome(exact).outcome).toBe('complete');
    const padded = facts({ gaps: [{ fromAt: START - 9000, toAt: START, cause: 'connect' }] });
    expect(judgeOutcome(padded)).toMatchObject({ outcome: 'complete', gaps: [] });
  });

  it('has gaps from half a second on, with the cause that was noted', () => {
    const gap = (ms: number): Gap => ({ fromAt: START + 60_000, toAt: START + 60_000 + ms, cause: 'stall' });
    const broken = (ms: number) =>
      facts({
        stretches: [
          { fromAt: START, toAt: START + 60_000 },
          { fromAt: START + 60_000 + ms, toAt: STOP },
        ],
        gaps: [gap(ms)],
      });
    expect(judgeOutcome(broken(499))).toMatchObject({ outcome: 'complete', gaps: [gap(499)] });
    expect(judgeOutcome(broken(500))).toMatchObject({
      outcome: 'complete_with_gaps',
      reason: 'gaps',
      gaps: [gap(500)],
    });
    expect(judgeOutcome(broken(60_000)).coverage).toBeCloseTo(0.9, 10);
  });

  it('is partial when media begins or ends more than 3 s off', () => {
    const from = (ms: number, over: Partial<OutcomeFacts> = {}) =>
      judgeOutcome(facts({ stretches: [{ fromAt: START + ms, toAt: STOP }], ...over }));
    expect(from(3000).outcome).toBe('complete_with_gaps');
    expect(from(3001)).toMatchObject({ outcome: 'partial', reason: 'started_late' });
    expect(from(3001).gaps).toEqual([{ fromAt: START, toAt: START + 3001, cause: 'late_start' }]);
    expect(from(3001, { joinedInProgress: true }).reason).toBe('joined_in_progress');
    const to = (ms: number, over: Partial<OutcomeFacts> = {}) =>
      judgeOutcome(facts({ stretches: [{ fromAt: START, toAt: STOP - ms }], ...over }));
    expect(to(3000).outcome).toBe('complete_with_gaps');
    expect(to(3001, { lastCause: 'http_404' })).toMatchObject({
      outcome: 'partial',
      reason: 'ended_early',
      gaps: [{ fromAt: STOP - 3001, toAt: STOP, cause: 'http_404' }],
    });
    expect(to(9000, { earlyEnd: 'cancelled' }).reason).toBe('cancelled');
    expect(to(9000, { earlyEnd: 'interrupted' })).toMatchObject({
      reason: 'interrupted',
      gaps: [{ cause: 'restart' }],
    });
  });

  it('is partial when several causes together take the head', () => {
    const judged = judgeOutcome(
      facts({
        stretches: [{ fromAt: START + 4000, toAt: STOP }],
        gaps: [
          { fromAt: START - 15_000, toAt: START + 2000, cause: 'connect' },
          { fromAt: START + 2000, toAt: START + 4000, cause: 'http_503' },
        ],
      }),
    );
    expect(judged).toMatchObject({ outcome: 'partial', reason: 'started_late' });
    expect(judged.gaps.map((gap) => gap.cause)).toEqual(['connect', 'http_503']);
  });

  it('is missed where nobody tried and empty where nothing came, with all of it missing', () => {
    const missed = judgeOutcome(facts({ stretches: [], bytes: 0, attempts: 0, missedReason: 'slots_full' }));
    expect(missed).toMatchObject({ outcome: 'missed', reason: 'slots_full', coverage: 0 });
    expect(judgeOutcome(facts({ stretches: [], bytes: 0, attempts: 0 })).reason).toBe('not_started');
    const empty = judgeOutcome(facts({ stretches: [], bytes: 0, lastCause: 'http_403' }));
    expect(empty).toMatchObject({ outcome: 'empty', reason: 'nothing_came', coverage: 0 });
    expect(empty.gaps).toEqual([{ fromAt: START, toAt: STOP, cause: 'http_403' }]);
    expect(judgeOutcome(facts({ bytes: 0 }))).toMatchObject({ outcome: 'empty', coverage: 0 });
  });

  it('believes a known hole inside a stretch', () => {
    const gap: Gap = { fromAt: START + 5000, toAt: START + 15_000, cause: 'disk_slow' };
    expect(judgeOutcome(facts({ gaps: [gap] }))).toMatchObject({
      outcome: 'complete_with_gaps',
      gaps: [gap],
    });
  });
});

const causes: GapCause[] = [
  'connect',
  'reset',
  'eof',
  'stall',
  'http_503',
  'restart',
  'preempted',
  'disk_full',
];
const span = fc
  .tuple(fc.integer({ min: START - 90_000, max: STOP + 90_000 }), fc.integer({ min: 0, max: 300_000 }))
  .map(([fromAt, ms]) => ({ fromAt, toAt: fromAt + ms }));
const spans = fc.array(span, { maxLength: 8 });
const gapsOf = fc.array(
  fc.tuple(span, fc.constantFrom(...causes)).map(([at, cause]): Gap => ({ ...at, cause })),
  { maxLength: 6 },
);
const anyFacts = fc.record({
  stretches: spans,
  gaps: gapsOf,
  bytes: fc.nat(3),
  attempts: fc.nat(2),
  joinedInProgress: fc.boolean(),
  earlyEnd: fc.constantFrom(null, 'cancelled' as const, 'interrupted' as const, 'gave_up' as const),
  lastCause: fc.constantFrom(null, ...causes),
});

const STRENGTH: readonly Outcome[] = ['missed', 'empty', 'partial', 'complete_with_gaps', 'complete'];
const strength = (over: Partial<OutcomeFacts>) => STRENGTH.indexOf(judgeOutcome(facts(over)).outcome);

describe('every outcome', () => {
  it('accounts for the whole programme: what is covered and what is missing add up, in order, inside it', () => {
    fc.assert(
      fc.property(anyFacts, (over) => {
        const { coverage, gaps } = judgeOutcome(facts(over));
        const missing = gaps.reduce((sum, gap) => sum + gap.toAt - gap.fromAt, 0);
        expect(coverage + missing / (STOP - START)).toBeCloseTo(1, 9);
        let at = START;
        for (const gap of gaps) {
          expect(gap.fromAt).toBeGreaterThanOrEqual(at);
          expect(gap.toAt).toBeGreaterThan(gap.fromAt);
          at = gap.toAt;
        }
        expect(at).toBeLessThanOrEqual(STOP);
      }),
    );
  });

  it('never gets worse by more media, nor better by more holes', () => {
    fc.assert(
      fc.property(anyFacts, span, fc.constantFrom(...causes), (over, extra, cause) => {
        const base = { ...over, bytes: 1, attempts: 1 };
        const more = { ...base, stretches: [...base.stretches, extra] };
        expect(strength(more)).toBeGreaterThanOrEqual(strength(base));
        const less = { ...base, gaps: [...base.gaps, { ...extra, cause }] };
        expect(strength(less)).toBeLessThanOrEqual(strength(base));
      }),
    );
  });

  it('is judged the same whatever order the facts come in', () => {
    fc.assert(
      fc.property(anyFacts, (over) => {
        const { outcome, coverage } = judgeOutcome(facts(over));
        const turned = facts({
          ...over,
          stretches: over.stretches.toReversed(),
          gaps: over.gaps.toReversed(),
        });
        expect(judgeOutcome(turned)).toMatchObject({ outcome, coverage });
      }),
    );
  });

  it('gives a reason of the table, and none exactly when it is complete', () => {
    fc.assert(
      fc.property(anyFacts, (over) => {
        const { outcome, reason } = judgeOutcome(facts(over));
        if (outcome === 'complete') expect(reason).toBe('');
        else expect(Object.keys(OUTCOME_REASONS)).toContain(reason);
      }),
    );
  });
});
