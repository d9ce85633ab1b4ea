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

export const upstreams = z.looseObject({
  slots: z.looseObject({ used: z.number(), limit: z.number() }),
  accounts: z.array(z.looseObject({ account: z.string(), open: z.number() })),
  hosts: z.array(z.looseObject({ host: z.string(), penalty: z.number() })),
  connections: z.array(z.looseObject({ upstream: z.string(), recordings: z.array(z.string()) })),
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
