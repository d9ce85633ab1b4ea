import { expect, it } from 'vitest';
import { metricsText } from '../../src/api/metrics.js';
import { createTally } from '../../src/runtime/tally.js';
import { aRecording, START } from '../domain/aRecording.js';

const source = { source: 'm3u-1', channel: 'bbc1', index: 0 };

function entry(path: string, over: Parameters<typeof aRecording>[0] = {}) {
  return { id: '1a2b3c4d', recording: aRecording(over), path, rev: 1, updatedAt: START };
}

it('metrics tell what recordings went through, in the words of Prometheus', async () => {
  const tally = createTally(() => 'user@host');
  const planned = entry('scheduled.queued', {
    bytes: 0,
    gaps: [],
    startedAt: null,
    attempts: 0,
    stretches: [],
  });
  const running = entry('spooling.open', {
    current: source,
    bytes: 1880,
    gaps: [],
    startedAt: START - 13_000,
    switches: 1,
    lastFault: { cause: 'reset', code: 'upstream_reset', at: START },
  });
  const grown = entry('spooling.open', {
    ...running.recording,
    bytes: 3760,
    gaps: [{ fromAt: START, toAt: START + 2_500, cause: 'stall' }],
    ts: { ...running.recording.ts, continuityErrors: 3 },
  });
  const result = {
    outcome: 'complete_with_gaps',
    reason: 'gaps',
    coverage: 0.9,
    gaps: [],
    bytes: 3760,
    finishedAt: START,
  } as const;
  const done = entry('published', { ...grown.recording, result });
  tally.note(planned, undefined);
  tally.note(running, planned);
  tally.note(grown, running);
  tally.note(done, grown);
  tally.note(done, done);
  const text = await metricsText({
    version: '1.2.3',
    counts: tally.counts(),
    recordings: new Map([['published', 1]]),
    slots: { used: 1, limit: 0 },
    accounts: [{ account: 'user@host', open: 1, cooling: 0, limit: null }],
    waiting: new Map(),
    sources: [{ source: 'm3u-1', acceptedAt: START, channels: 4, programmes: 0, held: false, failing: true }],
    disks: [{ path: '/out', freeBytes: 10, floorBytes: 5, ready: true }],
    receivers: [{ server: 'plex', owed: 2, failing: true }],
    lanes: [{ lane: 'sports', bytes: 3760 }],
    tickAgeSeconds: 1,
    stateWritable: true,
  });
  for (const line of [
    'catchupd_build_info{version="1.2.3"} 1',
    'catchupd_recordings_finished_total{outcome="complete_with_gaps",lane="sports"} 1',
    'catchupd_capture_bytes_total{provider="user@host"} 3760',
    'catchupd_capture_gap_seconds_total{cause="stall"} 2.5',
    'catchupd_ts_errors_total{kind="continuity"} 3',
    'catchupd_provider_slots{provider="user@host",state="limit"} +Inf',
    `catchupd_guide_last_success_timestamp_seconds{source="m3u-1"} ${START / 1000}`,
    'catchupd_guide_failing{source="m3u-1"} 1',
    'catchupd_publish_outbox_depth{server="plex"} 2',
    'catchupd_publish_failing{server="plex"} 1',
    'catchupd_capture_start_delay_seconds_bucket{le="2"} 1',
    'catchupd_capture_start_delay_seconds_bucket{le="+Inf"} 1',
    'catchupd_capture_start_delay_seconds_sum 2',
  ])
    expect(text.split('\n')).toContain(line);
  for (const line of text.split('\n').filter((each) => each !== '' && !each.startsWith('#')))
    expect(line).toMatch(/^catchupd_[a-z0-9_]+(\{[^}]*\})? \S+$/);
  expect(text).not.toContain('Man Utd');
});

it('a label that takes ever new values is bounded', () => {
  let name = 0;
  const tally = createTally(() => `host-${(name += 1)}`);
  let before = entry('spooling.open', { bytes: 0, current: source });
  for (let bytes = 1; bytes < 500; bytes += 1) {
    const next = entry('spooling.open', { bytes, current: source });
    tally.note(next, before);
    before = next;
  }
  expect(tally.counts().bytes.size).toBeLessThanOrEqual(101);
});
