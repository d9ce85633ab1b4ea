import { describe, expect, it } from 'vitest';
import { plan, type PlanInput } from '../../src/domain/plan.js';
import { at, capsule, known, POLICY, tombstone } from './programmes.js';

const now = at('20:00');
const words = (input: Partial<PlanInput>) =>
  plan({ capsules: [], known: [], tombstones: [], now, previousRowKeys: null, policy: POLICY, ...input }).map(
    ({ capsule: row, action, reason }) => `${row.channelName} ${row.title}: ${action} ${reason}`,
  );
const first = capsule('21:00', '22:00', 'Show', { episode: 's1e2' });
const repeat = capsule('23:00', '23:59', 'Show', { episode: 's1e2', dnaId: 'dna-two' });
const other = capsule('23:00', '23:59', 'Show', { episode: 's1e3' });
const aired = capsule('18:00', '19:00', 'Show', { episode: 's1e2', dnaId: 'dna-three' });

describe('a repeat of an episode', () => {
  it('is not recorded beside its first airing, on whatever channel', () => {
    expect(words({ capsules: [repeat, first, other] })).toEqual([
      'one Show: record scheduled',
      'one Show: record scheduled',
      'two Show: skip repeat',
    ]);
  });

  it('is not recorded while the first is scheduled, kept or remembered', () => {
    for (const state of ['scheduled', 'running', 'done'] as const)
      expect(words({ capsules: [repeat], known: [known(aired, state)] })).toContain('two Show: skip repeat');
    expect(words({ capsules: [repeat], tombstones: [tombstone(aired)] })).toEqual(['two Show: skip repeat']);
  });

  it('is recorded when the first failed', () => {
    expect(words({ capsules: [repeat], known: [known(aired, 'done', { failed: true })] })).toEqual([
      'two Show: record scheduled',
    ]);
    expect(words({ capsules: [repeat], tombstones: [tombstone(aired, { failed: true })] })).toEqual([
      'two Show: record scheduled',
    ]);
  });

  it('is known by its id alone where the guide has ids, and by number only under the same title', () => {
    const numbered = (title: string, episode: string) => [
      { ...first, title, episode },
      { ...repeat, episode },
    ];
    expect(words({ capsules: numbered('The Show', 'dd:EP0001') })).toContain('two Show: skip repeat');
    expect(words({ capsules: numbered('Another', 's1e2') })).toContain('two Show: record scheduled');
  });
});
