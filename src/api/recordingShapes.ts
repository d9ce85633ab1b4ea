/**
 * How a recording looks in every answer (CONTRACT §3), for the OpenAPI document and for whoever checks answers against
 * it. Nothing is sent that is not said here.
 */

import { z } from 'zod';
import { COMMAND_VERBS } from '../domain/commands.js';

export const time = z.iso.datetime().describe('RFC 3339, UTC');
const count = z.int().min(0);

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

const outcome = z.enum(['missed', 'empty', 'partial', 'complete_with_gaps', 'complete']);

const tsErrors = z.object({
  continuity_errors: count,
  transport_errors: count,
  scrambled: count,
  sync_losses: count,
  skipped_bytes: count,
  clock_jumps: count,
  trimmed_bytes: count,
});

export const gap = z.object({ from: time, to: time, seconds: z.number(), cause: z.string() });

/** CONTRACT §3. Fields that are empty are left out. */
export const recordingItem = z
  .object({
    id: z.string().regex(/^[0-9a-f]{8,40}$/),
    capsule_id: z.string(),
    record_key: z.string().optional(),
    dna_id: z.string().optional(),
    channel_id: z.string(),
    guide_number: z.string().optional(),
    channel_name: z.string().optional(),
    title: z.string(),
    sub_title: z.string().optional(),
    lane: z.string(),
    state: z.enum(['starting_soon', 'in_progress', 'ready']),
    machine_state: machineState,
    status: z.enum(['scheduled', 'recording', 'completed', 'failed', 'interrupted']),
    start: time,
    stop: time,
    expires_at: time,
    priority: z.number(),
    keep: z.boolean(),
    reason: z.string().optional().describe('the rule that wanted it'),
    waiting: z.string().optional().describe('why it has no connection'),
    source_url: z.string().optional().describe('a reference, without address and login'),
    output_path: z.string().optional(),
    published_dir: z.string().optional(),
    published_path: z.string().optional(),
    nfo_path: z.string().optional(),
    scheduled_for: time,
    started_at: time.optional(),
    stopped_at: time.optional(),
    recovered_at: time.optional(),
    duration_mins: z.int(),
    bytes_recorded: count.optional(),
    partial_recording: z.boolean().optional(),
    attempt: count.optional(),
    recovery_reason: z.string().optional(),
    error: z.string().optional(),
    last_fault: z.string().optional().describe('a code of docs/errors.md'),
    evicted_by: z.string().optional(),
    capture_http_attempts: count.optional(),
    capture_transient_retries: count.optional(),
    capture_bytes_resumed: count.optional(),
    capture_upstream_switches: count.optional(),
    outcome: outcome.optional().describe('absent while under way'),
    outcome_reason: z.string().optional().describe('a code of docs/errors.md'),
    coverage: z.number().min(0).max(1).optional(),
    gap_seconds: z.number(),
    gap_count: count,
    longest_gap_seconds: z.number(),
    gaps: z.array(gap),
    ts_errors: tsErrors,
    sources: z.array(z.string()),
  })
  .meta({ id: 'Recording' });

const laneStorage = z.object({
  used_bytes: count,
  budget_bytes: count.optional(),
  headroom_bytes: count.optional(),
});

export const report = z.object({
  generated_at: time,
  state_file: z.string(),
  root_dir: z.string(),
  updated_at: time.optional(),
  statistics: z.object({
    active_count: count,
    completed_count: count,
    failed_count: count,
    lane_storage: z.record(z.string(), laneStorage).optional(),
    sum_capture_http_attempts: count.optional(),
    sum_capture_transient_retries: count.optional(),
    sum_capture_bytes_resumed: count.optional(),
    sum_capture_upstream_switches: count.optional(),
  }),
  published_count: count,
  interrupted_count: count,
  lanes: z.array(
    z.object({
      lane: z.string(),
      active_count: count,
      completed_count: count,
      failed_count: count,
      interrupted_count: count,
      published_count: count,
    }),
  ),
  held_sources: z
    .array(z.object({ source: z.string(), reason: z.string(), since: time }))
    .optional()
    .describe('lists and guides that the sanity gate holds back; the last good ones are in use'),
  active: z.array(recordingItem),
  completed: z.array(recordingItem),
  failed: z.array(recordingItem),
});

export const recordings = z.object({
  generated_at: time,
  total: count.describe('of those that fit, without limit and offset'),
  recordings: z.array(recordingItem),
});

export const recordingDetail = z.object({
  ...recordingItem.shape,
  path: z.string().describe('dotted path of its chart'),
  rev: count,
  updated_at: time,
  desc: z.string(),
  categories: z.array(z.string()),
  window: z.object({ open: time, start: time, stop: time, close: time }),
  deadline: z.object({ kind: z.string(), at: time }).nullable(),
  upstreams: z.array(z.string()),
  current: z.string().nullable(),
  stretches: z.array(
    z.object({ source: z.string(), from: time, to: time, bytes: count, first_offset: count }),
  ),
  joins: z.array(
    z.object({ at: time, kind: z.string(), removed_overlap_s: z.number(), approximate: z.boolean() }),
  ),
  ts: z.object({ ...tsErrors.shape, packets: count }),
  last_fault_at: time.nullable(),
  media_path: z.string().nullable().describe('relative; null while there is nothing to play'),
});

export const past = z.object({
  id: z.string(),
  steps: z.array(z.object({ at: time, event: z.string(), state: z.string().nullable() })),
});

export const commandAnswer = z.object({
  command: z.enum(COMMAND_VERBS),
  id: z.string(),
  changed: z.boolean().describe('false where it was so already'),
  machine_state: machineState,
  recording: recordingItem.nullable().describe('null where nothing but the memory of it is left'),
});

export const rankedUpstream = z.object({
  place: z.int().min(1),
  upstream: z.string(),
  current: z.boolean(),
  reasons: z.array(z.string()),
  penalty: z
    .object({
      host: z.string(),
      failures: count,
      now: z.number(),
      last_cause: z.string(),
      last_at: time,
      half_life_s: z.number(),
    })
    .nullable(),
  tries: count,
  spent: z.boolean(),
  spent_by: z.string().nullable(),
});

/** What `why` says of a recording, beyond what every answer does. */
export const explainedRecording = z.object({
  ...recordingItem.shape,
  decided_by: z.string(),
  fault: z.object({ cause: z.string(), code: z.string(), at: time }).nullable(),
  cancel_reason: z.string(),
  upstreams: z.array(rankedUpstream).describe('in the order in which they are asked'),
});
