/** What Prometheus reads (PROTOCOLS §8). No label takes a title, a channel or an id: their number has no bound. */

import { Counter, Gauge, Registry } from 'prom-client';
import type { Counts } from '../runtime/tally.js';

export const METRICS_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/** Everything that is measured, as it is now. */
export interface Gauges {
  readonly version: string;
  readonly counts: Counts;
  /** Recordings by machine state. */
  readonly recordings: ReadonlyMap<string, number>;
  readonly slots: { readonly used: number; readonly limit: number };
  readonly accounts: readonly {
    readonly account: string;
    readonly open: number;
    readonly cooling: number;
    readonly limit: number | null;
  }[];
  readonly waiting: ReadonlyMap<string, number>;
  readonly sources: readonly {
    readonly source: string;
    readonly acceptedAt: number | null;
    readonly channels: number;
    readonly programmes: number;
    readonly held: boolean;
    readonly failing: boolean;
  }[];
  readonly disks: readonly {
    readonly path: string;
    readonly freeBytes: number | null;
    readonly floorBytes: number | null;
    readonly ready: boolean;
  }[];
  readonly receivers: readonly {
    readonly server: string;
    readonly owed: number;
    readonly failing: boolean;
  }[];
  readonly lanes: readonly { readonly lane: string; readonly bytes: number }[];
  readonly tickAgeSeconds: number | null;
  readonly stateWritable: boolean;
}

const NONE: readonly string[] = [];

/** The text format 0.0.4. A registry of its own for each reading: what is gone must not stay. */
export async function metricsText(gauges: Gauges): Promise<string> {
  const registry = new Registry();
  const { counts } = gauges;

  function gauge(
    name: string,
    help: string,
    values: readonly Measured[],
    labels: readonly string[] = NONE,
  ): void {
    const metric = new Gauge({
      name: `catchupd_${name}`,
      help,
      labelNames: [...labels],
      registers: [registry],
    });
    for (const [given, value] of values) if (value !== null) metric.set(labelled(labels, given), value);
  }
  function counter(
    name: string,
    help: string,
    values: readonly Measured[],
    labels: readonly string[] = NONE,
  ): void {
    const metric = new Counter({
      name: `catchupd_${name}`,
      help,
      labelNames: [...labels],
      registers: [registry],
    });
    for (const [given, value] of values) if (value !== null) metric.inc(labelled(labels, given), value);
  }

  gauge('build_info', 'The version that runs.', [[[gauges.version], 1]], ['version']);
  gauge('recordings', 'Recordings by state.', flat(gauges.recordings), ['state']);
  gauge('recordings_active', 'Recordings that capture or are about to go on.', [[NONE, activeOf(gauges)]]);
  counter('recordings_finished_total', 'Recordings that ended, by outcome.', flat(counts.finished), [
    'outcome',
    'lane',
  ]);
  counter('capture_bytes_total', 'Bytes captured.', flat(counts.bytes), ['provider']);
  counter(
    'capture_gap_seconds_total',
    'Seconds missing inside captures, by cause.',
    flat(counts.gapSeconds),
    ['cause'],
  );
  counter('ts_errors_total', 'Faults seen in transport streams.', flat(counts.tsErrors), ['kind']);
  counter(
    'upstream_switches_total',
    'Changes to another address, by what led to it.',
    flat(counts.switches),
    ['reason'],
  );
  counter('capture_attempts_total', 'Connections asked for by captures.', [[NONE, counts.attempts]]);
  counter('capture_retries_total', 'Passing faults that were tried again.', [[NONE, counts.retries]]);
  startDelay(registry, counts.startDelay);

  gauge(
    'slots',
    'Connections in use and allowed; no limit is +Inf.',
    [
      [['used'], gauges.slots.used],
      [['limit'], gauges.slots.limit === 0 ? Infinity : gauges.slots.limit],
    ],
    ['state'],
  );
  gauge(
    'provider_slots',
    'Connections of each account.',
    gauges.accounts.flatMap(({ account, open, cooling, limit }): Measured[] => [
      [[account, 'open'], open],
      [[account, 'cooling'], cooling],
      [[account, 'limit'], limit ?? Infinity],
    ]),
    ['provider', 'state'],
  );
  gauge('waiting', 'Recordings that wait for a connection, by reason.', flat(gauges.waiting), ['reason']);

  gauge(
    'guide_last_success_timestamp_seconds',
    'When the source was last read and taken.',
    gauges.sources.map(({ source, acceptedAt }): Measured => [
      [source],
      acceptedAt === null ? null : acceptedAt / 1000,
    ]),
    ['source'],
  );
  gauge(
    'guide_programmes',
    'Programmes in the source.',
    gauges.sources.map(({ source, programmes }): Measured => [[source], programmes]),
    ['source'],
  );
  gauge(
    'guide_channels',
    'Channels in the source.',
    gauges.sources.map(({ source, channels }): Measured => [[source], channels]),
    ['source'],
  );
  gauge(
    'guide_held',
    '1 while the source is refused because it looks broken.',
    gauges.sources.map(({ source, held }): Measured => [[source], Number(held)]),
    ['source'],
  );
  gauge(
    'guide_failing',
    '1 while the source cannot be read.',
    gauges.sources.map(({ source, failing }): Measured => [[source], Number(failing)]),
    ['source'],
  );

  gauge(
    'publish_outbox_depth',
    'Calls that a media server, webhook or command is still owed.',
    gauges.receivers.map(({ server, owed }): Measured => [[server], owed]),
    ['server'],
  );
  gauge(
    'publish_failing',
    '1 while the receiver refuses or does not answer.',
    gauges.receivers.map(({ server, failing }): Measured => [[server], Number(failing)]),
    ['server'],
  );

  gauge(
    'disk_free_bytes',
    'Free space under each folder.',
    gauges.disks.map(({ path, freeBytes }): Measured => [[path], freeBytes]),
    ['path'],
  );
  gauge(
    'disk_floor_bytes',
    'Below so much free space nothing new starts.',
    gauges.disks.map(({ path, floorBytes }): Measured => [[path], floorBytes]),
    ['path'],
  );
  gauge(
    'root_ready',
    '1 while the folder and its marker are there.',
    gauges.disks.map(({ path, ready }): Measured => [[path], Number(ready)]),
    ['path'],
  );
  gauge(
    'lane_bytes',
    'What the recordings of a lane take.',
    gauges.lanes.map(({ lane, bytes }): Measured => [[lane], bytes]),
    ['lane'],
  );
  gauge('state_writable', '1 while the state can be written.', [[NONE, Number(gauges.stateWritable)]]);
  gauge('scheduler_tick_age_seconds', 'Since the scheduler last looked around.', [
    [NONE, gauges.tickAgeSeconds],
  ]);
  gauge('resident_memory_bytes', 'Memory of the process.', [[NONE, process.memoryUsage.rss()]]);
  const { user, system } = process.cpuUsage();
  counter('cpu_seconds_total', 'Processor time of the process.', [[NONE, (user + system) / 1e6]]);
  gauge('start_time_seconds', 'When the process began.', [
    [NONE, Math.round(Date.now() / 1000 - process.uptime())],
  ]);
  return registry.metrics();
}

/** Label values in the order of their names, and the number; null is not known. */
type Measured = readonly [labels: readonly string[], value: number | null];

function flat(totals: ReadonlyMap<string, number>): Measured[] {
  return [...totals].map(([labels, value]) => [labels.split('\t'), value]);
}

function labelled(names: readonly string[], values: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']));
}

function activeOf({ recordings }: Gauges): number {
  const running = ['spooling', 'retrying', 'failover', 'finalizing'];
  return running.reduce((sum, state) => sum + (recordings.get(state) ?? 0), 0);
}

/** prom-client has no way to set a histogram to what was counted elsewhere; a registry asks no more than this. */
function startDelay(registry: Registry, { buckets, sum, count }: Counts['startDelay']): void {
  const name = 'catchupd_capture_start_delay_seconds';
  const bucket = (le: number | string, value: number) => ({
    metricName: `${name}_bucket`,
    labels: { le },
    value,
  });
  const told = {
    name,
    help: 'From when a capture was due to its first request.',
    type: 'histogram',
    aggregator: 'sum',
    values: [
      ...buckets.map(([bound, value]) => bucket(bound, value)),
      bucket('+Inf', count),
      { metricName: `${name}_sum`, labels: {}, value: sum },
      { metricName: `${name}_count`, labels: {}, value: count },
    ],
  };
  registry.registerMetric({ name, get: () => Promise.resolve(told) } as never);
}
