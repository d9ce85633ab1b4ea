import { describe, expect, it } from 'vitest';
import type { UpstreamRef } from '../../src/domain/channel.js';
import { rankingLines, rankingView } from '../../src/runtime/rankingView.js';
import type { Upstreams } from '../../src/runtime/upstreams.js';
import { aRecording, START } from '../domain/aRecording.js';

const FIRST = { source: 'm3u-1', channel: 'bbc1', index: 0 };
const SECOND = { source: 'm3u-1', channel: 'bbc1', index: 1 };

/** The second is asked before the first, whose host failed. */
const upstreams: Pick<Upstreams, 'rank' | 'record'> = {
  rank: () => [
    { ref: SECOND, reasons: ['remembered_address'] },
    { ref: FIRST, reasons: ['penalty_3', 'listed'] },
  ],
  record: (ref: UpstreamRef) =>
    ref.index === 0 ? { host: 'tv.example:80', failures: 4, penalty: 3, at: START, cause: 'reset' } : null,
};

describe('the ranking of upstreams', () => {
  const recording = aRecording({
    upstreams: [FIRST, SECOND],
    current: SECOND,
    health: { 'm3u-1/bbc1/0': { tries: 3, outageSince: START, spent: true, cause: 'reset' } },
  });

  it('says of each its place, what put it there, and what it went through', () => {
    const view = rankingView(upstreams as Upstreams, recording.capsule, recording);
    expect(view).toEqual([
      expect.objectContaining({
        place: 1,
        upstream: 'm3u-1/bbc1#1',
        current: true,
        spent: false,
        penalty: null,
      }),
      expect.objectContaining({
        place: 2,
        reasons: ['penalty_3', 'listed'],
        penalty: expect.objectContaining({ failures: 4, now: 3, half_life_s: 600 }) as object,
      }),
    ]);
  });

  it('is shown to a person in one line each', () => {
    const [first, second] = rankingLines(rankingView(upstreams as Upstreams, recording.capsule, recording));
    expect(first).toBe('    1. m3u-1/bbc1#1: remembered_address; in use');
    expect(second).toContain('penalty_3, listed; tv.example:80 failed 4 times, last reset');
  });
});
