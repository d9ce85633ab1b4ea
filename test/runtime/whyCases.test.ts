/** `why` gives the expected code: one case a row, and every reason of the plan table has one. */

import { describe, expect, it } from 'vitest';
import type { Capsule } from '../../src/domain/capsule.js';
import type { Capacity } from '../../src/domain/forecast.js';
import { planWithin } from '../../src/domain/foresight.js';
import { overrideOf } from '../../src/domain/override.js';
import type { PlanInput, PlanPolicy } from '../../src/domain/plan.js';
import { PLAN_REASONS, type PlanReason } from '../../src/domain/reasons.js';
import { findWhy, shownDecision } from '../../src/runtime/decisionsView.js';
import { at, capsule, HOUR, known, POLICY, tombstone } from '../domain/programmes.js';

const now = at('20:00');
const show = (from: string, to: string, more: Partial<Capsule> = {}) =>
  capsule(from, to, more.title ?? 'Show', { group: 'Group', ...more });
const later = show('21:00', '22:00');
const successor = capsule('22:00', '23:00', 'Next');
const running = show('19:30', '22:00');

interface Case extends Partial<Omit<PlanInput, 'policy'>> {
  readonly policy?: Partial<PlanPolicy>;
  readonly slotsMax?: number;
}

const CASES: readonly (readonly [string, PlanReason, 'record' | 'skip', Case])[] = [
  ['it is on', 'in_progress', 'record', { capsules: [show('19:30', '21:00')] }],
  [
    'it is about to start',
    'starting_soon',
    'record',
    { capsules: [show('20:01', '21:00')], policy: { leadTimeMs: 120_000 } },
  ],
  ['it comes later', 'scheduled', 'record', { capsules: [later] }],
  [
    'a person wants it',
    'wanted',
    'record',
    { capsules: [later], policy: { excludeLanes: ['general'] }, overrides: [overrideOf(later, 'want', now)] },
  ],
  [
    'a person does not want it',
    'skipped',
    'skip',
    { capsules: [later], overrides: [overrideOf(later, 'skip', now)] },
  ],
  [
    'its lane is not among those wanted',
    'lane_excluded',
    'skip',
    { capsules: [later], policy: { lanes: ['sports'] } },
  ],
  [
    'its lane is excluded',
    'lane_excluded',
    'skip',
    { capsules: [later], policy: { excludeLanes: ['general'] } },
  ],
  [
    'its channel is not among those wanted',
    'channel_excluded',
    'skip',
    { capsules: [later], policy: { channels: ['two*'] } },
  ],
  [
    'its channel is excluded',
    'channel_excluded',
    'skip',
    { capsules: [later], policy: { excludeChannels: ['one'] } },
  ],
  [
    'its group is excluded',
    'group_excluded',
    'skip',
    { capsules: [later], policy: { excludeGroups: ['gr*'] } },
  ],
  [
    'no rule asks for it',
    'no_rule',
    'skip',
    { capsules: [later], rules: { kind: 'rules', rules: [], only: true } },
  ],
  [
    'the rules cannot be read',
    'rules_unreadable',
    'skip',
    { capsules: [later], rules: { kind: 'unreadable' } },
  ],
  [
    'it is scheduled',
    'already_scheduled',
    'record',
    { capsules: [later], known: [known(later, 'scheduled')] },
  ],
  [
    'it is being recorded',
    'already_recording',
    'record',
    { capsules: [running], known: [known(running, 'running')] },
  ],
  ['it was recorded', 'already_recorded', 'skip', { capsules: [running], known: [known(running, 'done')] }],
  ['it expired', 'already_recorded', 'skip', { capsules: [running], tombstones: [tombstone(running)] }],
  [
    'a person removed it',
    'removed',
    'skip',
    { capsules: [running], tombstones: [tombstone(running, { reason: 'removed_by_user' })] },
  ],
  [
    'it is a repeat',
    'repeat',
    'skip',
    {
      capsules: [show('21:00', '22:00', { episode: 's1e1' })],
      tombstones: [tombstone(show('10:00', '11:00', { episode: 's1e1', dnaId: 'dna-two' }))],
    },
  ],
  [
    'its guide holds only placeholders',
    'placeholder',
    'skip',
    {
      capsules: [later],
      policy: { guidePolicy: 'healthy' },
      health: new Map([['dna-one', 'placeholder_only']]),
    },
  ],
  [
    'its channel has no guide id',
    'unlinked',
    'skip',
    { capsules: [later], policy: { guidePolicy: 'strict' }, health: new Map([['dna-one', 'good']]) },
  ],
  ['it never ends', 'too_long', 'skip', { capsules: [{ ...later, stopAt: later.startAt + 13 * HOUR }] }],
  [
    'too little is left of it',
    'too_little_left',
    'skip',
    { capsules: [show('18:00', '20:30')], policy: { joinMinLeft: 0.5 } },
  ],
  ['it ends this moment', 'over', 'skip', { capsules: [show('19:00', '20:00')] }],
  [
    'others have all the connections',
    'conflict',
    'skip',
    { capsules: [later, capsule('21:00', '22:00', 'A vs B', { dnaId: 'dna-two' })], slotsMax: 1 },
  ],
  [
    'there is a limit',
    'over_limit',
    'skip',
    { capsules: [later, capsule('20:30', '21:00', 'A vs B')], policy: { capsulesMax: 1 } },
  ],
  ['it is far ahead', 'beyond_horizon', 'skip', { capsules: [later], policy: { horizonMs: HOUR / 2 } }],
  ['no list has its channel', 'no_upstream', 'skip', { capsules: [{ ...later, upstreams: [] }] }],
  [
    'the guide moved it',
    'moved',
    'record',
    { capsules: [show('21:10', '22:10')], known: [known(later, 'scheduled')] },
  ],
  [
    'the guide renamed it',
    'retitled',
    'record',
    { capsules: [show('21:00', '22:00', { title: 'Show, live' })], known: [known(later, 'scheduled')] },
  ],
  [
    'it ends later',
    'stop_later',
    'record',
    { capsules: [{ ...running, stopAt: at('22:30') }], known: [known(running, 'running')] },
  ],
  [
    'it ends earlier and what follows says so',
    'stop_earlier',
    'record',
    { capsules: [running, successor], known: [known({ ...running, stopAt: at('22:20') }, 'running')] },
  ],
  [
    'it ends earlier and nothing says so',
    'already_recording',
    'record',
    { capsules: [running], known: [known({ ...running, stopAt: at('22:20') }, 'running')] },
  ],
  [
    'the guide says more of it',
    'details_changed',
    'record',
    { capsules: [{ ...later, desc: 'More' }], known: [known(later, 'scheduled')] },
  ],
  [
    'something else has its place',
    'gone',
    'skip',
    {
      capsules: [capsule('21:00', '22:00', 'Other'), successor],
      known: [known(show('21:05', '21:55'), 'scheduled')],
    },
  ],
  [
    'its channel is empty in this guide',
    'scheduled',
    'record',
    { capsules: [later], known: [known(show('21:00', '22:00', { dnaId: 'dna-two' }), 'scheduled')] },
  ],
];

describe('why', () => {
  it.each(CASES)('%s: %s', (_, reason, action, { policy, slotsMax = 0, ...input }) => {
    const capacity: Capacity = { slotsMax, limits: {}, preempt: true, accountsOf: () => [[]] };
    const { decisions, conflicts } = planWithin(
      {
        capsules: [],
        known: [],
        tombstones: [],
        now,
        previousRowKeys: null,
        ...input,
        policy: { ...POLICY, ...policy },
      },
      capacity,
    );
    const found = findWhy('show', { decisions, entries: [], tombstones: [] });
    const shown = found.decisions.map((decision) => shownDecision(decision, conflicts.get(decision)));
    expect(shown).toContainEqual(expect.objectContaining({ action, reason }));
    expect(shown).toHaveLength(1);
  });

  it('has a case for every reason of the plan table, and more than twenty-five in all', () => {
    expect(CASES.length).toBeGreaterThanOrEqual(25);
    expect([...new Set(CASES.map(([, reason]) => reason))].toSorted()).toEqual(
      Object.keys(PLAN_REASONS).toSorted(),
    );
  });
});
