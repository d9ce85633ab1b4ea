/** The Grafana dashboard and the alert rules ask only for what /metrics has. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { metricsText } from '../src/api/metrics.js';
import { createTally } from '../src/runtime/tally.js';

const read = (path: string) => readFileSync(new URL(`../docs/operations/${path}`, import.meta.url), 'utf8');

it.each(['grafana-dashboard.json', 'alerts.yaml'])('%s asks for metrics that there are', async (path) => {
  const text = read(path);
  expect(parse(text)).toBeTypeOf('object');
  const told = await metricsText({
    version: '',
    counts: createTally(() => '').counts(),
    recordings: new Map(),
    slots: { used: 0, limit: 0 },
    accounts: [],
    waiting: new Map(),
    sources: [],
    disks: [],
    lanes: [],
    tickAgeSeconds: null,
    stateWritable: true,
  });
  const known = new Set([...told.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
  const asked = [...text.matchAll(/\bcatchupd_[a-z0-9_]+/g)].map(([name]) => name.replace(/_bucket$/, ''));
  expect(asked.length).toBeGreaterThan(5);
  expect(asked.filter((name) => !known.has(name))).toEqual([]);
});
