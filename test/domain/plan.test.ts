import { describe, expect, it } from 'vitest';
import { NEVER } from '../../src/domain/lane.js';
import { PLAN_REASONS } from '../../src/domain/reasons.js';
import type { ChannelHealth } from '../../src/domain/station.js';
import type { PlanPolicy } from '../../src/domain/plan.js';
import { at, capsule, decide, HOUR, known, NOW as now, tombstone, words } from './programmes.js';

describe('what is recorded', () => {
  it('is what is on, what is due and what comes', () => {
    const capsules = [
      capsule('19:30', '20:30', 'on'),
      capsule('20:00', '20:30', 'now', { dnaId: 'dna-b' }),
      capsule('20:04', '20:30', 'due', { dnaId: 'dna-c' }),
      capsule('21:00', '22:00', 'later'),
    ];
    expect(words({ capsules }, { leadTimeMs: 5 * 60_000 })).toEqual([
      'on: record in_progress',
      'now: record in_progress',
      'due: record starting_soon',
      'later: record scheduled',
    ]);
  });

  it('carries the priority and the keep time of its lane', () => {
    const capsules = [
      capsule('20:00', '21:00', 'a vs b', { dnaId: 'dna-a' }),
      capsule('20:00', '21:00', 'film', { dnaId: 'dna-b', categories: ['Film'] }),
      capsule('20:00', '21:00', 'news', { dnaId: 'dna-c', categories: ['News'] }),
    ];
    expect(decide({ capsules }, { keepMs: { movies: 0, general: 2 * HOUR } })).toMatchObject([
      { priority: 30, expiresAt: at('21:00') + 12 * HOUR },
      { priority: 10, expiresAt: NEVER },
      { priority: 20, expiresAt: at('21:00') + 2 * HOUR },
    ]);
  });

  it('is every one of ten five-minute programmes of one title', () => {
    const capsules = Array.from({ length: 10 }, (_, i) =>
      capsule(`20:${i * 5}`, `20:${i * 5 + 5}`, 'Teletubbies'),
    );
    expect(words({ capsules }).filter((word) => word.includes('record'))).toHaveLength(10);
  });

  it('is one programme on each of two channels with the same title at the same minute', () => {
    const capsules = [
      capsule('20:00', '21:00', 'News'),
      capsule('20:00', '21:00', 'News', { dnaId: 'dna-two' }),
    ];
    expect(words({ capsules })).toEqual(['News: record in_progress', 'News: record in_progress']);
  });

  it('is the better told of two capsules with one key', () => {
    const capsules = [capsule('20:00', '21:00', 'T'), capsule('20:00', '21:00', 'T', { desc: 'More' })];
    expect(decide({ capsules })).toMatchObject([{ action: 'record', capsule: { desc: 'More' } }]);
  });
});

describe('what is left out', () => {
  const sport = capsule('20:00', '21:00', 'a vs b', {
    dnaId: 'dna-a',
    channelName: 'Sky Sports',
    guideNumber: '401',
    group: 'UK;Sport',
  });
  const film = capsule('20:00', '21:00', 'film', {
    dnaId: 'dna-b',
    channelName: 'Film4',
    categories: ['Film'],
    group: 'UK',
    tvgId: 'film4.uk',
  });
  const capsules = [sport, film];

  it.each<[Partial<PlanPolicy>, string, string]>([
    [{ lanes: ['Sports'] }, 'record in_progress', 'skip lane_excluded'],
    [{ excludeLanes: ['movies'] }, 'record in_progress', 'skip lane_excluded'],
    [{ channels: ['sky sports'] }, 'record in_progress', 'skip channel_excluded'],
    [{ channels: ['401'] }, 'record in_progress', 'skip channel_excluded'],
    [{ channels: ['DNA-A'] }, 'record in_progress', 'skip channel_excluded'],
    [{ channels: ['a'] }, 'record in_progress', 'skip channel_excluded'],
    [{ channels: ['film4.uk'] }, 'skip channel_excluded', 'record in_progress'],
    [{ channels: ['sky*'] }, 'record in_progress', 'skip channel_excluded'],
    [{ channels: ['*4'] }, 'skip channel_excluded', 'record in_progress'],
    [{ excludeChannels: ['*SPO*'] }, 'skip channel_excluded', 'record in_progress'],
    [{ groups: ['sport'] }, 'record in_progress', 'skip group_excluded'],
    [{ groups: ['uk'] }, 'record in_progress', 'record in_progress'],
    [{ excludeGroups: ['s*t'] }, 'skip group_excluded', 'record in_progress'],
    [{ channels: ['*', ' '] }, 'record in_progress', 'record in_progress'],
  ])('%o', (policy, first, second) => {
    expect(words({ capsules }, policy).toSorted()).toEqual([`a vs b: ${first}`, `film: ${second}`]);
  });

  it('takes a glob for what it says, however odd', () => {
    const odd = [capsule('20:00', '21:00', 'T', { channelName: 'a.b(c)' })];
    expect(words({ capsules: odd }, { channels: ['a.b(*)'] })).toEqual(['T: record in_progress']);
    expect(words({ capsules: odd }, { channels: ['axb*'] })).toEqual(['T: skip channel_excluded']);
    expect(words({ capsules: odd }, { channels: ['a.b(c)*)'] })).toEqual(['T: skip channel_excluded']);
  });

  it('is what is over, too far, too long or without an address', () => {
    const rows = [
      capsule('19:00', '20:00', 'over'),
      capsule('20:00', '33:00', 'filler', { dnaId: 'dna-b' }),
      capsule('20:01', '21:00', 'nowhere', { upstreams: [] }),
      capsule('23:01', '24:00', 'far'),
    ];
    expect(words({ capsules: rows }, { horizonMs: 3 * HOUR })).toEqual([
      'over: skip over',
      'filler: skip too_long',
      'nowhere: skip no_upstream',
      'far: skip beyond_horizon',
    ]);
    expect(words({ capsules: rows.slice(1, 2) }, { programmeMsMax: 0 })).toEqual([
      'filler: record in_progress',
    ]);
  });

  it('is what has too little left to join, but nothing that is still to start', () => {
    const rows = [
      capsule('19:00', '20:20', 'quarter'),
      capsule('20:00', '21:00', 'whole', { dnaId: 'dna-b' }),
    ];
    expect(words({ capsules: rows }, { joinMinLeft: 0.26 })).toEqual([
      'quarter: skip too_little_left',
      'whole: record in_progress',
    ]);
    expect(words({ capsules: rows }, { joinMinLeft: 0.25 })).toEqual([
      'quarter: record in_progress',
      'whole: record in_progress',
    ]);
  });

  it('follows the guide policy, and defers it where nothing is known', () => {
    const states: ChannelHealth[] = [
      'healthy',
      'good',
      'placeholder_only',
      'matched_no_programmes',
      'unlinked',
    ];
    const rows = states.map((state) => capsule('20:00', '21:00', state, { dnaId: `dna-${state}` }));
    const health = new Map(states.map((state) => [`dna-${state}`, state]));
    const recorded = (guidePolicy: PlanPolicy['guidePolicy'], known_: typeof health | null = health) =>
      decide({ capsules: rows, health: known_ }, { guidePolicy })
        .filter(({ action }) => action === 'record')
        .map(({ capsule: row }) => row.title);
    expect(recorded('off')).toHaveLength(5);
    expect(recorded('healthy').toSorted()).toEqual(['good', 'healthy']);
    expect(recorded('strict')).toEqual(['healthy']);
    expect(recorded('strict', null)).toHaveLength(5);
    expect(recorded('strict', new Map())).toHaveLength(5);
  });

  it('is what comes after the limit, the best first, what is scheduled already counted', () => {
    const rows = [
      capsule('20:00', '21:00', 'general', { dnaId: 'dna-a' }),
      capsule('20:00', '22:00', 'x vs y', { dnaId: 'dna-b' }),
      capsule('20:30', '21:00', 'later', { dnaId: 'dna-c' }),
    ];
    expect(words({ capsules: rows }, { capsulesMax: 2 }).toSorted()).toEqual([
      'general: record in_progress',
      'later: skip over_limit',
      'x vs y: record in_progress',
    ]);
    const planned = rows.slice(2).map((row) => known(row, 'scheduled'));
    expect(words({ capsules: rows, known: planned }, { capsulesMax: 2 }).toSorted()).toEqual([
      'general: skip over_limit',
      'later: skip already_scheduled',
      'x vs y: record in_progress',
    ]);
  });

  it('is what was recorded, tried or removed before', () => {
    const rows = ['a', 'b', 'c', 'd', 'e'].map((name) =>
      capsule('20:00', '21:00', name, { dnaId: `dna-${name}` }),
    );
    const [a, b, c, d, e] = rows.map((row) => row);
    if (!a || !b || !c || !d || !e) throw new Error('five rows');
    expect(
      words({
        capsules: rows,
        known: [known(a, 'scheduled'), known(b, 'running'), known(c, 'done')],
        tombstones: [tombstone(d), tombstone(e, { reason: 'removed_by_user' })],
      }),
    ).toEqual([
      'a: skip already_scheduled',
      'b: skip already_recording',
      'c: skip already_recorded',
      'd: skip already_recorded',
      'e: skip removed',
    ]);
  });

  it('is what another recorder already has, known by nothing but its key', () => {
    const row = capsule('20:00', '21:00', 'T');
    const foreign = tombstone(row, { channel: 'elsewhere', startAt: 0, stopAt: now, normTitle: '' });
    expect(words({ capsules: [row], tombstones: [foreign] })).toEqual(['T: skip already_recorded']);
  });
});

describe('a change of policy', () => {
  const row = capsule('21:00', '22:00', 'T');

  it('drops what is scheduled, and neither what runs nor what a person asked for', () => {
    const input = (own: ReturnType<typeof known>) => ({ capsules: [row], known: [own] });
    const policy = { excludeLanes: ['general'] };
    expect(words(input(known(row, 'scheduled')), policy)).toEqual(['T: drop lane_excluded']);
    expect(words(input(known(row, 'running')), policy)).toEqual(['T: skip already_recording']);
    expect(words(input(known(row, 'scheduled', { wanted: true })), policy)).toEqual([
      'T: skip already_scheduled',
    ]);
  });

  it('drops what is scheduled even where the guide says nothing', () => {
    const planned = known(row, 'scheduled');
    expect(words({ known: [planned] }, { excludeLanes: ['general'] })).toEqual(['T: drop lane_excluded']);
    expect(words({ known: [planned] })).toEqual([]);
  });

  it('is not what a lost category is', () => {
    const planned = known({ ...row, categories: ['Sport'], lane: 'sports' }, 'scheduled');
    expect(words({ capsules: [row], known: [planned] }, { lanes: ['sports'] })).toEqual([
      'T: skip already_scheduled',
    ]);
  });
});

describe('the plan table', () => {
  it('explains every reason in a sentence', () => {
    for (const [code, meaning] of Object.entries(PLAN_REASONS)) {
      expect(code).toMatch(/^[a-z_]+$/);
      expect(meaning).toMatch(/^[A-Z].*\.$/);
    }
  });
});
