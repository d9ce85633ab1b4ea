import { describe, expect, it } from 'vitest';
import { plan, type PlanInput, type PlanPolicy } from '../../src/domain/plan.js';
import type { RuleBook } from '../../src/domain/rules.js';
import { parseRules } from '../../src/store/rules.js';
import { at, capsule, known, POLICY } from './programmes.js';

const now = at('20:00');
const rule = (filters: object) => ({ id: 'r', name: 'one', enabled: true, ...filters });
const book = (only: boolean, ...rules: object[]): RuleBook => ({
  kind: 'rules',
  rules: parseRules(JSON.stringify({ version: 1, updated_at: '2026-11-23T00:00:00Z', rules }), 'rules.json'),
  only,
});
const words = (input: Partial<PlanInput>, policy: Partial<PlanPolicy> = {}) =>
  plan({
    capsules: [],
    known: [],
    tombstones: [],
    now,
    previousRowKeys: null,
    ...input,
    policy: { ...POLICY, ...policy },
  }).map(({ capsule: row, action, reason }) => `${row.title}: ${action} ${reason}`);

const news = capsule('21:00', '21:30', 'Evening News', {
  channelId: 'One.id',
  guideNumber: '101',
  categories: ['News'],
});
const match = capsule('20:30', '22:00', 'A vs B', { dnaId: 'dna-two' });

describe('a rule', () => {
  it.each<[string, object, boolean]>([
    ['a lane', { include_lanes: ['GENERAL'] }, true],
    ['another lane', { include_lanes: ['movies', 'sports'] }, false],
    ['a channel', { include_channel_ids: ['x', 'one.ID'] }, true],
    ['a number', { include_guide_numbers: ['102'] }, false],
    ['a category', { include_categories: ['news'] }, true],
    ['a part of a category', { include_categories: ['new'] }, false],
    ['part of the title', { title_contains: 'NEWS' }, true],
    ['the title', { title_equals: 'evening news' }, true],
    ['another title', { title_equals: 'news' }, false],
    ['a state', { states: ['starting_soon'] }, true],
    ['another state', { states: ['in_progress'] }, false],
    ['a time after', { start_after: '2026-11-23T21:00:00Z' }, true],
    ['a time before', { start_before: '2026-11-23T21:00:00Z' }, false],
    ['a time of day', { start_after: '20:30', start_before: '21:01' }, true],
    ['two filters of which one does not match', { include_lanes: ['general'], title_contains: 'x' }, false],
    ['XMLTV ids, which are not evaluated', { include_tvg_ids: ['other'] }, true],
    ['nothing', {}, true],
  ])('by %s', (_, filters, asked) => {
    const rules = book(true, rule(filters));
    expect(words({ capsules: [news], rules })).toEqual([
      asked ? 'Evening News: record scheduled' : 'Evening News: skip no_rule',
    ]);
  });

  it('lets pass what the lists of what is wanted do not name, never what is excluded', () => {
    const rules = book(false, rule({ title_contains: 'news' }));
    const capsules = [match, news];
    expect(words({ capsules, rules }, { lanes: ['sports'] })).toEqual([
      'A vs B: record scheduled',
      'Evening News: record scheduled',
    ]);
    expect(words({ capsules, rules }, { excludeLanes: ['general'] })).toEqual([
      'A vs B: record scheduled',
      'Evening News: skip lane_excluded',
    ]);
  });

  it('that is not enabled asks for nothing', () => {
    const rules = book(true, rule({ enabled: false }));
    expect(words({ capsules: [news], rules })).toEqual(['Evening News: skip no_rule']);
  });

  it('keeps what it scheduled when the programme changes its state', () => {
    const rules = book(true, rule({ states: ['in_progress'] }));
    expect(words({ capsules: [news], known: [known(news, 'scheduled')], rules })).toEqual([
      'Evening News: skip already_scheduled',
    ]);
  });
});

describe('rules that cannot be read', () => {
  it('record nothing, and end nothing that runs', () => {
    const rules: RuleBook = { kind: 'unreadable' };
    expect(words({ capsules: [news, match], known: [known(match, 'running')], rules })).toEqual([
      'A vs B: skip already_recording',
      'Evening News: skip rules_unreadable',
    ]);
    expect(words({ capsules: [news], known: [known(news, 'scheduled')], rules })).toEqual([
      'Evening News: drop rules_unreadable',
    ]);
  });

  it.each([
    '',
    '{',
    '[]',
    '{"version":2,"rules":[]}',
    '{"version":1}',
    '{"version":1,"rules":[{"states":1}]}',
  ])('are %s', (text) => {
    expect(() => parseRules(text, 'rules.json')).toThrow(/rules\.json: /);
  });
});
