/** The shapes of answers that are JSON, for the OpenAPI document and for whoever checks answers against it. */

import { z } from 'zod';
import { COMMAND_VERBS } from '../domain/commands.js';

export const time = z.iso.datetime().describe('RFC 3339, UTC');

export const machineState = z.enum([
  'scheduled',
  'spooling',
  'retrying',
  'failover',
  'finalizing',
  'published',
  'expired',
  'failed',
  'cancelled',
  'quarantined',
]);

export const gap = z.object({
  from: time,
  to: time,
  seconds: z.number(),
  cause: z.string(),
});

/** CONTRACT §3. Fields that are empty are left out. */
export const recordingItem = z
  .looseObject({
    id: z.string().regex(/^[0-9a-f]{8,40}$/),
    capsule_id: z.string(),
    channel_id: z.string(),
    channel_name: z.string().optional(),
    title: z.string(),
    lane: z.string(),
    machine_state: machineState,
    status: z.string(),
    start: time,
    stop: time,
    expires_at: time,
    scheduled_for: time,
    priority: z.number(),
    keep: z.boolean(),
    reason: z.string().optional(),
    waiting: z.string().optional(),
    outcome: z.enum(['missed', 'empty', 'partial', 'complete_with_gaps', 'complete']).optional(),
    outcome_reason: z.string().optional(),
    coverage: z.number().min(0).max(1).optional(),
    bytes_recorded: z.number().optional(),
    gap_seconds: z.number(),
    gap_count: z.number(),
    longest_gap_seconds: z.number(),
    gaps: z.array(gap),
    ts_errors: z.unknown(),
    sources: z.array(z.string()),
  })
  .meta({ id: 'Recording' });

export const health = z.looseObject({ ok: z.boolean(), degraded: z.boolean() });
export const readiness = z.object({ ready: z.boolean() });

export const report = z.looseObject({
  generated_at: time,
  state_file: z.string(),
  root_dir: z.string(),
  statistics: z.looseObject({}),
  published_count: z.number(),
  interrupted_count: z.number(),
  lanes: z.array(z.looseObject({ lane: z.string() })),
  active: z.array(recordingItem),
  completed: z.array(recordingItem),
  failed: z.array(recordingItem),
});

const rankedUpstream = z.looseObject({
  place: z.number(),
  upstream: z.string(),
  reasons: z.array(z.string()),
  spent: z.boolean(),
});

export const upstreams = z.looseObject({
  slots: z.looseObject({ used: z.number(), limit: z.number() }),
  accounts: z.array(z.looseObject({ account: z.string(), open: z.number() })),
  hosts: z.array(z.looseObject({ host: z.string(), penalty: z.number() })),
  connections: z.array(z.looseObject({ upstream: z.string(), recordings: z.array(z.string()) })),
  rankings: z
    .array(z.looseObject({ recording: z.string(), upstreams: z.array(rankedUpstream) }))
    .describe('of recordings that hold a connection or wait for one: who is asked first, and why'),
  waiting: z.array(z.looseObject({ recording: z.string(), priority: z.number() })),
});

export const commandAnswer = z.object({
  command: z.enum(COMMAND_VERBS),
  id: z.string(),
  changed: z.boolean().describe('false where it was so already'),
  machine_state: z.union([machineState, z.literal('gone')]),
  recording: recordingItem.nullable(),
});

export const errorBody = z
  .object({ error: z.object({ code: z.string(), message: z.string(), hint: z.string() }) })
  .meta({ id: 'Error' });

export const recordings = z.object({
  generated_at: time,
  total: z.number().describe('of those that fit, without limit and offset'),
  recordings: z.array(recordingItem),
});

export const recordingDetail = z.looseObject({
  ...recordingItem.shape,
  path: z.string().describe('dotted path of its chart'),
  window: z.object({ open: time, start: time, stop: time, close: time }),
  stretches: z.array(z.looseObject({ source: z.string(), from: time, to: time, bytes: z.number() })),
  joins: z.array(z.looseObject({ at: time, kind: z.string() })),
  upstreams: z.array(z.string()),
  current: z.string().nullable(),
});

export const past = z.object({
  id: z.string(),
  steps: z.array(z.object({ at: time, event: z.string(), state: z.string().nullable() })),
});

export const decision = z.object({
  capsule_id: z.string(),
  record_key: z.string(),
  title: z.string(),
  channel_id: z.string(),
  channel_name: z.string(),
  lane: z.string(),
  start: time,
  stop: time,
  action: z.enum(['record', 'skip']),
  reason: z.string(),
  priority: z.number(),
  expires_at: time,
});

export const plan = z.looseObject({ generated_at: time, decisions: z.array(z.looseObject(decision.shape)) });

export const guide = z.object({
  generated_at: time,
  planned_at: time.nullable(),
  from: time,
  to: time,
  total: z.number().describe('channels, without limit and offset'),
  channels: z.array(
    z.object({
      channel_id: z.string(),
      channel_name: z.string(),
      guide_number: z.string(),
      group: z.string(),
      programmes: z.array(
        z.looseObject({
          capsule_id: z.string(),
          title: z.string(),
          lane: z.string(),
          start: time,
          stop: time,
          action: z.enum(['record', 'skip']),
          reason: z.string(),
          recording: z
            .looseObject({ id: z.string(), machine_state: machineState, waiting: z.string().optional() })
            .optional(),
        }),
      ),
    }),
  ),
});

export const why = z.object({
  generated_at: time,
  decisions: z.array(z.looseObject(decision.shape)),
  recordings: z.array(z.looseObject({ id: z.string(), title: z.string(), machine_state: machineState })),
  removed: z.array(z.looseObject({ id: z.string(), title: z.string(), reason: z.string(), at: time })),
});

export const storage = z.object({
  generated_at: time,
  lanes: z.array(
    z.looseObject({ lane: z.string(), used_bytes: z.number(), budget_bytes: z.number().nullable() }),
  ),
  disks: z.array(z.looseObject({ path: z.string(), ready: z.boolean(), free_bytes: z.number().nullable() })),
  forecast: z.object({
    bytes_per_second: z.number(),
    points: z.array(z.object({ at: time, bytes: z.number() })),
  }),
});

export const sources = z.object({
  sources: z.array(
    z.looseObject({ id: z.string(), kind: z.string(), location: z.string(), state: z.string() }),
  ),
});

export const machines = z.object({
  machines: z.array(
    z.object({
      id: z.string(),
      kind: z.enum(['scheduler', 'recording', 'guide']),
      state: z.string(),
      since: time,
    }),
  ),
});

export const charts = z.object({
  charts: z.array(
    z.object({
      kind: z.string(),
      root: z.looseObject({ path: z.string(), label: z.string(), children: z.array(z.unknown()) }),
      edges: z.array(z.object({ from: z.string(), to: z.string(), event: z.string() })),
    }),
  ),
});

export const overrideAnswer = z.object({ capsule_id: z.string(), word: z.enum(['want', 'skip']).nullable() });

export const words = z.object({
  plan_reasons: z.record(z.string(), z.string()),
  outcome_reasons: z.record(z.string(), z.string()),
});
