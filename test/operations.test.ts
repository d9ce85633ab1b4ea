/** The Grafana dashboard and the alert rules ask only for what /metrics has. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { metricsText } from '../src/api/metrics.js';
import { createTally } from '../src/runtime/tally.js';

const read = (path: string) => readFileSync(new URL(`../docs/operations/${path}`, import.meta.url), 'utf8');

async function namesTold(): Promise<ReadonlySet<string>> {
  const told = await metricsText({
    version: '',
    counts: createTally(() => '').counts(),
    recordings: new Map(),
    slots: { used: 0, limit: 0 },
    accounts: [],
    waiting: new Map(),
    sources: [],
    disks: [],
    receivers: [],
    lanes: [],
    tickAgeSeconds: null,
    stateWritable: true,
  });
  return new Set([...told.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name));
}

it.each(['grafana-dashboard.json', 'alerts.yaml'])('%s asks for metrics that there are', async (path) => {
  const text = read(path);
  expect(parse(text)).toBeTypeOf('object');
  const known = await namesTold();
  const asked = [...text.matchAll(/\bcatchupd_[a-z0-9_]+/g)].map(([name]) => name.replace(/_bucket$/, ''));
  expect(asked.length).toBeGreaterThan(5);
  expect(asked.filter((name) => !known.has(name))).toEqual([]);
});

it('the names that dashboards of others rely on are all there', async () => {
  const known = await namesTold();
  const named = [
    'recordings_active',
    'recordings_finished_total',
    'capture_bytes_total',
    'capture_gap_seconds_total',
    'ts_errors_total',
    'upstream_switches_total',
    'provider_slots',
    'guide_last_success_timestamp_seconds',
    'guide_programmes',
    'publish_outbox_depth',
    'disk_free_bytes',
    'build_info',
    'capture_start_delay_seconds',
  ];
  expect(named.filter((name) => !known.has(`catchupd_${name}`))).toEqual([]);
});
