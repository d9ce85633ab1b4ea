import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KnownRecording } from '../../src/domain/identity.js';
import { isForgotten, overrideOf, retold, WANTED_PRIORITY } from '../../src/domain/override.js';
import type { PlanPolicy } from '../../src/domain/plan.js';
import { capsule, decide, HOUR, known, NOW as now, tombstone, words } from './programmes.js';

const film = capsule('21:00', '22:00', 'Film', { categories: ['Film'] });
const moved = capsule('21:20', '22:20', 'Film', { categories: ['Film'] });
const want = overrideOf(film, 'want', now);
const skip = overrideOf(film, 'skip', now);

describe('a programme that a person wants', () => {
  it.each<[string, Partial<PlanPolicy>]>([
    ['lane', { excludeLanes: ['movies'] }],
    ['channel', { channels: ['other'] }],
    ['horizon', { horizonMs: HOUR / 2 }],
    ['guide policy', { guidePolicy: 'strict' }],
    ['limit', { capsulesMax: 1 }],
  ])('is recorded whatever the policy says of its %s', (_, policy) => {
    const running = known(capsule('19:00', '20:30', 'Other', { dnaId: 'dna-two' }), 'running');
    const input = { capsules: [film], known: [running], health: new Map([['dna-one', 'good' as const]]) };
    expect(words(input, policy)[0]).toMatch(/^Film: skip/);
    expect(words({ ...input, overrides: [want] }, policy)).toEqual(['Film: record wanted']);
  });

  it('comes before all else', () => {
    expect(decide({ capsules: [film], overrides: [want] })[0]?.priority).toBe(WANTED_PRIORITY);
  });

  it('is recorded though it was removed before, but not once more when it is removed after that', () => {
    const removed = (when: number) => tombstone(film, { reason: 'removed_by_user', at: when });
    const input = { capsules: [film], overrides: [want] };
    expect(words({ ...input, tombstones: [removed(now - 1)] })).toEqual(['Film: record wanted']);
    expect(words({ ...input, tombstones: [removed(now + 1)] })).toEqual(['Film: skip removed']);
  });

  it('is not recorded where nothing can be: no address, or over', () => {
    expect(words({ capsules: [{ ...film, upstreams: [] }], overrides: [want] })).toEqual([
      'Film: skip no_upstream',
    ]);
    const over = capsule('19:00', '20:00', 'Film');
    expect(words({ capsules: [over], overrides: [overrideOf(over, 'want', now)] })).toEqual([
      'Film: skip over',
    ]);
  });

  it('is followed where the guide moves it, and remembered under its new key', () => {
    const policy = { excludeLanes: ['movies'] };
    const [decision] = decide({ capsules: [moved], overrides: [want] }, policy);
    expect(decision).toMatchObject({ action: 'record', reason: 'wanted', addKey: true });
    const then = retold(want, moved);
    expect(then.keys).toEqual([film.recordKey, moved.recordKey]);
    expect(
      words({ capsules: [moved], known: [known(moved, 'scheduled')], overrides: [then] }, policy),
    ).toEqual(['Film: skip already_scheduled']);
  });

  it('gets its rank where it was scheduled already, once', () => {
    const scheduled = known(film, 'scheduled', { priority: 10 });
    const input = { capsules: [film], overrides: [want] };
    expect(decide({ ...input, known: [scheduled] })).toMatchObject([
      { action: 'move', reason: 'wanted', priority: WANTED_PRIORITY },
    ]);
    const ranked = { ...scheduled, priority: WANTED_PRIORITY };
    expect(words({ ...input, known: [ranked] })).toEqual(['Film: skip already_scheduled']);
    expect(decide({ capsules: [film], known: [ranked] })).toMatchObject([{ action: 'move', priority: 10 }]);
  });
});

describe('a programme that a person does not want', () => {
  it('is not recorded, under whatever start the guide gives it', () => {
    expect(words({ capsules: [film], overrides: [skip] })).toEqual(['Film: skip skipped']);
    expect(words({ capsules: [moved], overrides: [skip] })).toEqual(['Film: skip skipped']);
  });

  it.each<KnownRecording['state']>(['scheduled', 'running'])('goes where it is %s', (state) => {
    const input = { known: [known(film, state)], overrides: [skip] };
    expect(words({ ...input, capsules: [film] })).toEqual(['Film: drop skipped']);
    expect(words({ ...input, capsules: [] })).toEqual(['Film: drop skipped']);
  });

  it('stays where it is finished', () => {
    expect(words({ capsules: [film], known: [known(film, 'done')], overrides: [skip] })).toEqual([
      'Film: skip already_recorded',
    ]);
  });

  it('says nothing about the next one of its title', () => {
    const next = capsule('23:00', '23:59', 'Film', { categories: ['Film'] });
    expect(words({ capsules: [film, next], overrides: [skip] })).toEqual([
      'Film: skip skipped',
      'Film: record scheduled',
    ]);
  });
});

it('of several words about one programme the last counts', () => {
  const laterSkip = { ...skip, at: now + 1, capsuleId: 'as it is called now' };
  expect(
    words({ capsules: [film], known: [known(film, 'scheduled')], overrides: [want, laterSkip] }),
  ).toEqual(['Film: drop skipped']);
});

it('a word is forgotten a month after the programme, never before its end', () => {
  fc.assert(
    fc.property(fc.integer({ min: -1_000, max: 1_000 }), (hours) => {
      expect(isForgotten(want, film.stopAt + hours * HOUR)).toBe(hours > 30 * 24);
    }),
  );
});
