import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createActor, fromPromise } from 'xstate';
import { guideMachine, type GuideInput, type GuideOutcome } from '../../machines/guide.js';
import type { LoadInput } from '../../machines/ports.js';
import type { GateCounts } from '../../src/domain/gate.js';

const T0 = Date.UTC(2026, 10, 23, 19, 30);
const POLL_MS = 4 * 3_600_000;
const DAY_MS = 86_400_000;

function counts(programmes: number | null, over: Partial<GateCounts> = {}): GateCounts {
  return { channels: 10, programmes, lastStopAt: T0 + 7 * DAY_MS, partial: false, ...over };
}

/** The real chart; loads give back what the test says, when it says so. */
function bench(input: Partial<GuideInput> = {}) {
  const asked: ((outcome: GuideOutcome) => void)[] = [];
  const adopted: number[] = [];
  const dropped: { token: number; reason: string }[] = [];
  const machine = guideMachine.provide({
    actors: {
      load: fromPromise<GuideOutcome, LoadInput>(() => new Promise((resolve) => void asked.push(resolve))),
    },
    actions: {
      adopt: (_, { token }) => void adopted.push(token),
      drop: (_, { token, reason }) => void dropped.push({ token, reason }),
    },
  });
  const actor = createActor(machine, {
    input: { sourceId: 'xmltv-1', kind: 'guide', pollMs: POLL_MS, lastGood: null, ...input },
  }).start();
  let tokens = 0;
  const settle = () => new Promise<void>((resolve) => void setImmediate(resolve));
  async function answer(outcome: GuideOutcome): Promise<void> {
    const resolve = asked.shift();
    if (!resolve) throw new Error('nobody asked for a load');
    resolve(outcome);
    await settle();
  }
  return {
    actor,
    adopted,
    dropped,
    state: () => actor.getSnapshot().value,
    context: () => actor.getSnapshot().context,
    asks: () => asked.length,
    answer,
    loaded: (at: number, of: GateCounts) => answer({ kind: 'loaded', at, token: (tokens += 1), counts: of }),
    failed: (at: number, code = 'guide_unreadable') => answer({ kind: 'failed', at, code, detail: 'why' }),
    /** The deadline that is awaited comes. */
    async due(): Promise<number> {
      const { deadline } = actor.getSnapshot().context;
      if (!deadline) throw new Error('nothing is awaited');
      actor.send({ type: 'DEADLINE', kind: deadline.kind, dueAt: deadline.at, at: deadline.at });
      await settle();
      return deadline.at;
    },
  };
}

describe('a guide', () => {
  test('is looked at once when it is known, adopted when it is good, and looked at again after the poll time', async () => {
    const sut = bench();
    expect([sut.state(), sut.asks()]).toEqual(['fetching', 1]);
    await sut.loaded(T0, counts(1_000));
    expect(sut.state()).toBe('accepted');
    expect(sut.adopted).toEqual([1]);
    expect(sut.context()).toMatchObject({
      acceptedAt: T0,
      lastGood: counts(1_000),
      deadline: { kind: 'poll', at: T0 + POLL_MS },
    });
    await sut.due();
    expect([sut.state(), sut.asks()]).toEqual(['fetching', 1]);
  });

  test('that has not changed stays as it is', async () => {
    const sut = bench();
    await sut.loaded(T0, counts(1_000));
    const at = await sut.due();
    await sut.answer({ kind: 'unchanged', at });
    expect(sut.state()).toBe('accepted');
    expect(sut.adopted).toEqual([1]);
    expect(sut.context().deadline).toEqual({ kind: 'poll', at: at + POLL_MS });
  });

  test('of half the size is held, and the last good one stays in use', async () => {
    const sut = bench();
    await sut.loaded(T0, counts(1_000));
    const at = await sut.due();
    await sut.loaded(at, counts(499));
    expect(sut.state()).toBe('held');
    expect(sut.adopted).toEqual([1]);
    expect(sut.dropped).toEqual([{ token: 2, reason: 'halved' }]);
    expect(sut.context()).toMatchObject({
      lastGood: counts(1_000),
      held: { reason: 'halved', since: at, counts: counts(499) },
    });
  });

  test('that is held and then unchanged stays held since the first time', async () => {
    const sut = bench({ lastGood: counts(1_000) });
    await sut.loaded(T0, counts(10));
    await sut.answer({ kind: 'unchanged', at: await sut.due() });
    expect(sut.state()).toBe('held');
    expect(sut.context().held).toMatchObject({ reason: 'halved', since: T0 });
    await sut.due();
    await sut.loaded(T0 + 3 * POLL_MS, counts(11));
    expect(sut.context().held).toMatchObject({ since: T0, counts: counts(11) });
  });

  test('that is good again is adopted, and the hold is forgotten', async () => {
    const sut = bench({ lastGood: counts(1_000) });
    await sut.loaded(T0, counts(10));
    const at = await sut.due();
    await sut.loaded(at, counts(900));
    expect(sut.state()).toBe('accepted');
    expect(sut.adopted).toEqual([2]);
    expect(sut.context().held).toBeNull();
  });

  test('that has run out gives way to whatever is there', async () => {
    const sut = bench({ lastGood: counts(1_000, { lastStopAt: T0 }) });
    await sut.loaded(T0, counts(3));
    expect(sut.state()).toBe('accepted');
    expect(sut.context().lastGood).toEqual(counts(3));
  });

  test('that is empty is never taken, not even first or after one that has run out', async () => {
    for (const lastGood of [null, counts(1_000, { lastStopAt: T0 - DAY_MS })]) {
      const sut = bench({ lastGood });
      await sut.loaded(T0, counts(0));
      expect(sut.state()).toBe('held');
      expect(sut.adopted).toEqual([]);
      expect(sut.context()).toMatchObject({ lastGood, held: { reason: 'empty' } });
    }
  });

  test('looks at once when it is told to, from wherever it rests', async () => {
    const accepted = bench();
    await accepted.loaded(T0, counts(1_000));
    const held = bench({ lastGood: counts(1_000) });
    await held.loaded(T0, counts(1));
    const backingOff = bench();
    await backingOff.failed(T0);
    for (const sut of [accepted, held, backingOff]) {
      sut.actor.send({ type: 'REFRESH', at: T0 + 1 });
      expect([sut.state(), sut.asks()]).toEqual(['fetching', 1]);
      sut.actor.send({ type: 'REFRESH', at: T0 + 2 });
      expect(sut.asks()).toBe(1);
    }
  });

  test('takes no call but the one that it awaits', async () => {
    const sut = bench();
    await sut.loaded(T0, counts(1_000));
    sut.actor.send({ type: 'DEADLINE', kind: 'poll', dueAt: T0, at: T0 + POLL_MS });
    sut.actor.send({ type: 'DEADLINE', kind: 'retry', dueAt: T0 + POLL_MS, at: T0 + POLL_MS });
    expect(sut.state()).toBe('accepted');
  });
});

describe('a guide that cannot be had', () => {
  test('is tried again after five seconds, then twice as long each time, up to five minutes', async () => {
    const sut = bench();
    const waits: number[] = [];
    let at = T0;
    for (let failure = 0; failure < 9; failure += 1) {
      await sut.failed(at);
      expect(sut.state()).toBe('backingOff');
      const next = sut.context().deadline?.at ?? 0;
      waits.push((next - at) / 1_000);
      at = await sut.due();
    }
    expect(waits).toEqual([5, 10, 20, 40, 80, 160, 300, 300, 300]);
    expect(sut.context()).toMatchObject({ failures: 9, problem: { code: 'guide_unreadable', since: T0 } });
  });

  test('is never tried later than a poll would come, and is as new after one success', async () => {
    const sut = bench({ pollMs: 30_000 });
    let at = T0;
    for (let failure = 0; failure < 5; failure += 1) {
      await sut.failed(at);
      at = await sut.due();
    }
    expect(at - T0).toBe(5_000 + 10_000 + 20_000 + 30_000 + 30_000);
    await sut.loaded(at, counts(5));
    expect(sut.context()).toMatchObject({ failures: 0, problem: null });
    at = await sut.due();
    await sut.failed(at);
    expect(sut.context().deadline).toEqual({ kind: 'retry', at: at + 5_000 });
  });

  test('keeps its last good one and its hold, whatever the failure, a bug among them', async () => {
    const sut = bench({ lastGood: counts(1_000) });
    await sut.loaded(T0, counts(1));
    const at = await sut.due();
    await sut.answer({ kind: 'bug', at, error: 'boom' });
    expect(sut.state()).toBe('backingOff');
    expect(sut.context()).toMatchObject({
      lastGood: counts(1_000),
      held: { reason: 'halved' },
      problem: { code: 'bug', detail: 'boom' },
    });
    expect(sut.adopted).toEqual([]);
  });
});

describe('a channel list', () => {
  const list = (channels: number): GateCounts => ({
    channels,
    programmes: null,
    lastStopAt: 0,
    partial: false,
  });

  test('that stays smaller for a day is taken to mean it; an empty one never', async () => {
    const sut = bench({ kind: 'list', lastGood: list(100) });
    await sut.loaded(T0, list(10));
    expect(sut.state()).toBe('held');
    await sut.due();
    await sut.loaded(T0 + DAY_MS - 1, list(10));
    expect(sut.state()).toBe('held');
    await sut.due();
    await sut.loaded(T0 + DAY_MS, list(0));
    expect(sut.state()).toBe('held');
    await sut.due();
    await sut.loaded(T0 + DAY_MS, list(10));
    expect(sut.state()).toBe('accepted');
  });
});

describe('whatever a source does', () => {
  const size = fc.record({
    channels: fc.integer({ min: 1, max: 20 }),
    programmes: fc.integer({ min: 0, max: 500 }),
    lastStopAt: fc.constant(T0 + 30 * DAY_MS),
    partial: fc.boolean(),
  });
  const step = fc.oneof(
    size.map((of) => ({ kind: 'loaded' as const, counts: of })),
    fc.constant({ kind: 'unchanged' as const }),
    fc.constant({ kind: 'failed' as const, code: 'guide_unreadable', detail: '' }),
    fc.constant({ kind: 'bug' as const, error: 'boom' }),
  );

  test('what is in use is never replaced by nothing or by less than half, and it is always looked at again', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        const sut = bench();
        let at = T0;
        let token = 0;
        for (const one of steps) {
          const before = sut.context().lastGood;
          token += 1;
          await sut.answer(one.kind === 'loaded' ? { ...one, at, token } : { ...one, at });
          const { lastGood, deadline } = sut.context();
          expect(deadline?.at).toBeGreaterThan(at);
          if (before !== null) {
            expect(lastGood?.channels ?? 0).toBeGreaterThanOrEqual(before.channels / 2);
            expect(lastGood?.programmes ?? 0).toBeGreaterThanOrEqual((before.programmes ?? 0) / 2);
          }
          expect(lastGood?.programmes).not.toBe(0);
          expect(sut.adopted.includes(token)).toBe(one.kind === 'loaded' && lastGood === one.counts);
          at = await sut.due();
        }
        sut.actor.stop();
      }),
      { numRuns: 60 },
    );
  });

  test('that is shifted is held for a day, and then believed', async () => {
    const guide = bench({ lastGood: counts(1_000) });
    const shifted = counts(1_000, { shiftMs: 3_600_000 });
    await guide.loaded(T0, shifted);
    expect(guide.state()).toBe('held');
    expect(guide.dropped).toMatchObject([{ reason: 'shifted' }]);
    await guide.due();
    await guide.loaded(T0 + DAY_MS - 1, shifted);
    expect(guide.state()).toBe('held');
    await guide.due();
    await guide.loaded(T0 + DAY_MS, shifted);
    expect(guide.state()).toBe('accepted');
  });
});
