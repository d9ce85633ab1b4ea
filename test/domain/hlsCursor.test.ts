import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  cursorBefore,
  follow,
  reloadMs,
  segmentId,
  startCursor,
  type Cursor,
  type Step,
} from '../../src/domain/hlsCursor.js';
import type { MediaPlaylist, Segment } from '../../src/domain/hlsPlaylist.js';

const NOW = 1_800_000_000_000;

function segment(sequence: number, more: Partial<Segment> = {}): Segment {
  return {
    sequence,
    uri: `http://h/${more.uri ?? `s${sequence}.ts`}`,
    durationMs: 2_000,
    discontinuity: false,
    gap: false,
    range: null,
    key: null,
    init: null,
    programAt: null,
    ...more,
    ...(more.uri !== undefined && { uri: `http://h/${more.uri}` }),
  };
}

function list(from: number, count: number, name = (n: number) => `s${n}.ts`): MediaPlaylist {
  const segments = Array.from({ length: count }, (_, n) => segment(from + n, { uri: name(from + n) }));
  return { kind: 'media', targetMs: 2_000, segments, ended: false };
}

const numbers = (steps: readonly Step[]) =>
  steps.map((step) => (step.kind === 'take' ? step.segment.sequence : `${step.durationMs} ms`));

describe('a cursor', () => {
  it('takes what is new, once, and times it by what came before', () => {
    const start = startCursor(list(10, 3), NOW, NOW - 6_000, null);
    const first = follow(start, list(10, 3), NOW);
    expect(numbers(first.steps)).toEqual([10, 11, 12]);
    expect(first.steps[0]?.at).toBe(NOW - 6_000);
    const second = follow(first.cursor, list(11, 3), NOW + 2_000);
    expect(numbers(second.steps)).toEqual([13]);
    expect(second.steps[0]?.at).toBe(NOW);
    expect(follow(second.cursor, list(11, 3), NOW + 3_000).kind).toBe('nothing');
  });

  it('begins anew only where other media stands under known numbers, or numbers clearly before', () => {
    const { cursor } = follow(startCursor(list(10, 5), NOW, 0, null), list(10, 5), NOW);
    expect(follow(cursor, list(8, 3), NOW).kind).toBe('behind');
    expect(follow(cursor, list(0, 3), NOW).kind).toBe('reset');
    expect(
      follow(
        cursor,
        list(12, 3, (n) => `other${n}.ts`),
        NOW,
      ).kind,
    ).toBe('reset');
    expect(follow(cursor, list(8, 3), NOW, 'anew').kind).toBe('reset');
    // Of a server that lags nothing is known where the capture has only begun.
    expect(follow(cursor, list(7, 3), NOW).kind).toBe('behind');
    const reset = follow(cursor, list(0, 3), NOW);
    expect(reset.steps[0]).toMatchObject({ kind: 'take', discontinuity: true });
  });

  it('knows by their names what numbers say wrongly', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 8 }),
        fc.array(fc.tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 40 })), {
          maxLength: 30,
        }),
        (window, loads) => {
          const shown = (last: number, from: number) =>
            list(from, window, (n) => `m${n - from + last - window}.ts`);
          const name = (step: Step) =>
            step.kind === 'take' ? Number(/m(\d+)/.exec(step.segment.uri)?.[1]) : -1;
          let last = 100;
          let from = 0;
          let now = NOW;
          let { cursor, steps } = follow(startCursor(shown(last, 0), now, 0, null), shown(last, 0), now);
          const taken = steps.map(name);
          for (const [advance, slide] of loads) {
            last += Math.min(advance, window - 1);
            now += 10_000;
            from = Math.max(0, from + Math.min(slide, window - 1));
            ({ cursor, steps } = follow(cursor, shown(last, from), now, 'anew'));
            taken.push(...steps.map(name));
          }
          // As if they had been numbered.
          expect(taken).toEqual(Array.from({ length: last - 100 + window }, (_, n) => 100 - window + n));
        },
      ),
    );
  });

  it.each([
    ['a segment that is listed twice', 'abbcd', 'bbcde', ['e']],
    ['numbers that count where nothing slid', 'abcd', 'abcd', []],
    ['nothing that was there before', 'abc', 'def', ['d', 'e', 'f']],
  ])('follows %s by the names', (_, before, after, news) => {
    const named = (names: string, from: number) => list(from, names.length, (n) => `${names[n - from]}.ts`);
    const { cursor } = follow(startCursor(named(before, 5), NOW, 0, null), named(before, 5), NOW);
    const { steps } = follow(cursor, named(after, 6), NOW + 2_000);
    expect(steps.map((step) => step.kind === 'take' && step.segment.uri)).toEqual(
      news.map((name) => `http://h/${name}.ts`),
    );
  });

  it('takes nothing again where the numbers leap ahead of all that can have been', () => {
    const { cursor } = follow(startCursor(list(10, 6), NOW, 0, null), list(10, 6), NOW);
    const leapt = list(1_011, 6, (n) => `s${n - 1_000}.ts`);
    const { steps, cursor: after } = follow(cursor, leapt, NOW + 2_000);
    expect(steps).toMatchObject([
      { kind: 'take', at: NOW, discontinuity: false, segment: { sequence: 1_016 } },
    ]);
    expect(
      numbers(
        follow(
          after,
          list(1_012, 6, (n) => `s${n - 1_000}.ts`),
          NOW + 4_000,
        ).steps,
      ),
    ).toEqual([1_017]);
    // Under other names only their content can tell.
    expect(follow(cursor, list(1_011, 6), NOW + 2_000).kind).toBe('reset');
    // What was away for so long has gone on.
    expect(numbers(follow(cursor, list(1_016, 6), NOW + 2_012_000).steps).length).toBe(7);
  });

  it('believes no clock that is an hour off for some of what is listed', () => {
    const told = (from: number, isOff: (n: number) => boolean) => {
      const { segments, ...rest } = list(from, 6);
      const at = (n: number) => NOW + (n - 16) * 2_000 - 4_000 + (isOff(n) ? 3_600_000 : 0);
      return { ...rest, segments: segments.map((one) => ({ ...one, programAt: at(one.sequence) })) };
    };
    const first = told(10, (n) => n < 13);
    const { steps, cursor } = follow(startCursor(first, NOW, NOW - 60_000, null), first, NOW);
    expect(steps[0]).toMatchObject({ at: NOW - 12_000 });
    const second = told(11, (n) => n === 16);
    expect(follow(cursor, second, NOW + 2_000).steps).toMatchObject([{ at: NOW }]);
    const good = told(11, () => false);
    expect(follow(cursor, good, NOW + 2_000).steps).toMatchObject([{ at: NOW - 4_000 }]);
  });

  it('asks for the first segment once more, whether or not what came before it is still listed', () => {
    const saved = cursorBefore({ variant: '', sequence: 12, id: 'any', endAt: NOW }, NOW - 2_000);
    for (const from of [10, 12]) {
      const start = startCursor(list(from, 13 - from), NOW, NOW, saved);
      expect(start).toMatchObject({ next: 12, endAt: NOW - 2_000 });
      expect(numbers(follow(start, list(from, 13 - from), NOW).steps)).toEqual([12]);
    }
  });

  it('looks for what comes next before a short list has forgotten it', () => {
    const targets = { ...list(10, 6), targetMs: 2_000 };
    expect([reloadMs(targets, true), reloadMs(targets, false)]).toEqual([2_000, 1_000]);
    expect(reloadMs({ ...list(10, 15), targetMs: 10_000 }, true)).toBe(10_000);
    expect(reloadMs({ ...list(10, 4), targetMs: 10_000 }, true)).toBe(2_000);
    expect(reloadMs(list(10, 1), true)).toBe(1_000);
    expect(reloadMs({ ...list(10, 0), targetMs: 4_000 }, false)).toBe(2_000);
  });

  it('knows a segment by its name whatever token its address carries', () => {
    const a = segmentId({ uri: 'http://a/t/abc/seg_7.ts?token=1', range: null });
    expect(segmentId({ uri: 'http://b/t/xyz/seg_7.ts?token=2', range: null })).toBe(a);
    expect(segmentId({ uri: 'http://b/t/xyz/seg_8.ts', range: null })).not.toBe(a);
    const range = { offset: 5, length: 1 };
    expect(segmentId({ uri: 'http://a/seg_7.ts', range })).not.toBe(a);
  });

  it('starts behind what is saved, also when that has just slid out, and not where the numbers mean something else', () => {
    const saved = { variant: '', sequence: 11, id: segmentId(segment(11)), endAt: NOW - 2_000 };
    expect(startCursor(list(10, 3), NOW, 0, saved)).toMatchObject({ next: 12, endAt: NOW - 2_000 });
    const gone = { ...saved, sequence: 8, endAt: NOW - 8_000 };
    const start = startCursor(list(10, 3), NOW, 0, gone);
    expect(start.next).toBe(9);
    expect(numbers(follow(start, list(10, 3), NOW).steps)).toEqual(['2000 ms', 10, 11, 12]);
    const other = { ...saved, id: 'another' };
    expect(startCursor(list(10, 3), NOW, 0, other).next).toBe(12);
    const far = { ...saved, sequence: 2, endAt: NOW - 900_000 };
    expect(startCursor(list(10, 3), NOW, NOW - 60_000, far).next).toBe(10);
  });

  it('never takes a segment twice and leaves none out, however a live window slides', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1_000 }),
        fc.integer({ min: 1, max: 8 }),
        fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 30 }),
        (base, window, advances) => {
          let last = base + window;
          let now = NOW;
          let cursor: Cursor = startCursor(list(base, window), now, 0, null);
          const taken: number[] = [];
          let lostMs = 0;
          const look = () => {
            const followed = follow(cursor, list(last - window, window), now);
            ({ cursor } = followed);
            for (const step of followed.steps) {
              if (step.kind === 'take') taken.push(step.segment.sequence);
              else lostMs += step.durationMs;
            }
          };
          look();
          for (const advance of advances) {
            last += advance;
            now += advance * 2_000;
            look();
          }
          expect(new Set(taken).size).toBe(taken.length);
          expect(taken).toEqual(taken.toSorted((a, b) => a - b));
          expect(taken.length * 2_000 + lostMs).toBe((last - base) * 2_000);
        },
      ),
    );
  });
});
