/** The shapes of the other answers that are JSON. Nothing is sent that is not said here. */

import { z } from 'zod';
import { explainedRecording, rankedUpstream, recordingItem, time } from './recordingShapes.js';

const count = z.int().min(0);

export const errorBody = z
  .object({ error: z.object({ code: z.string(), message: z.string(), hint: z.string() }) })
  .meta({ id: 'Error' });

export const health = z.object({ ok: z.boolean(), degraded: z.boolean(), problem: z.string().nullable() });
export const readiness = z.object({ ready: z.boolean() });

export const conflict = z
  .object({
    reason: z.enum(['slots_full', 'account_full', 'lane_full']),
    from: time,
    lost_seconds: count,
    loses_to: z.array(z.object({ capsule_id: z.string(), title: z.string(), channel_name: z.string() })),
    again: z
      .object({ capsule_id: z.string(), channel_name: z.string(), start: time })
      .nullable()
      .describe('when the same is on again'),
  })
  .describe('what the connections that are known will take from it');

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
  reason: z.string().describe('a code of the plan table of docs/errors.md'),
  priority: z.number(),
  expires_at: time,
  conflict: conflict.optional(),
});

export const plan = z.object({ generated_at: time, decisions: z.array(decision) });

export const guide = z.object({
  generated_at: time,
  planned_at: time.nullable(),
  from: time,
  to: time,
  total: count.describe('channels, without limit and offset'),
  channels: z.array(
    z.object({
      channel_id: z.string(),
      channel_name: z.string(),
      guide_number: z.string(),
      group: z.string(),
      programmes: z.array(
        z.object({
          capsule_id: z.string(),
          title: z.string(),
          sub_title: z.string().optional(),
          lane: z.string(),
          start: time,
          stop: time,
          action: z.enum(['record', 'skip']),
          reason: z.string().describe('a code of the plan table of docs/errors.md'),
          conflict: conflict.optional(),
          recording: recordingItem.optional(),
        }),
      ),
    }),
  ),
});

export const why = z.object({
  generated_at: time,
  decisions: z.array(z.object({ ...decision.shape, upstreams: z.array(rankedUpstream) })),
  recordings: z.array(explainedRecording),
  removed: z
    .array(z.object({ id: z.string(), title: z.string(), reason: z.string(), at: time }))
    .describe('what is remembered of removed recordings'),
});

export const upstreams = z.object({
  slots: z.object({
    used: count,
    limit: count.describe('0 is none'),
    refused_for: z.string().nullable().describe('why nothing new starts'),
  }),
  bandwidth: z.object({ bits_per_second: count, limit: count.describe('0 is none') }),
  accounts: z.array(
    z.object({
      account: z.string(),
      open: count,
      cooling: count.describe('closed, and perhaps still counted by the provider'),
      limit: count.nullable(),
      configured: count.nullable(),
      learned: z.object({ limit: count, at: time }).nullable(),
      reserve: count,
    }),
  ),
  hosts: z.array(
    z.object({
      host: z.string(),
      failures: count,
      penalty: z.number(),
      last_cause: z.string(),
      last_at: time,
      half_life_s: z.number(),
    }),
  ),
  connections: z.array(
    z.object({
      upstream: z.string(),
      recordings: z.array(z.string()),
      since: time,
      state: z.enum(['open', 'lingering', 'leaving', 'broken']),
    }),
  ),
  rankings: z
    .array(z.object({ recording: z.string(), upstreams: z.array(rankedUpstream) }))
    .describe('of recordings that hold a connection or wait for one: who is asked first, and why'),
  waiting: z.array(
    z.object({
      recording: z.string(),
      reason: z.string().nullable(),
      priority: z.number(),
      upstreams: z.array(z.string()),
    }),
  ),
});

export const storage = z.object({
  generated_at: time,
  lanes: z.array(
    z.object({
      lane: z.string(),
      used_bytes: count,
      kept_bytes: count,
      spool_bytes: count,
      recordings: count,
      budget_bytes: count.nullable(),
      keep_seconds: z.number(),
    }),
  ),
  disks: z.array(
    z.object({
      path: z.string(),
      role: z.enum(['out-dir', 'publish-dir']),
      ready: z.boolean(),
      free_bytes: count.nullable(),
      total_bytes: count.nullable(),
      floor_bytes: count.nullable(),
    }),
  ),
  forecast: z.object({
    bytes_per_second: count,
    points: z.array(z.object({ at: time, bytes: z.number() })),
  }),
});

export const sources = z.object({
  sources: z.array(
    z.object({
      id: z.string(),
      kind: z.string(),
      location: z.string().describe('without login'),
      state: z.string(),
      channels: count,
      programmes: count,
      skipped: z.record(z.string(), count),
      accepted_at: time.nullable(),
      held: z.object({ reason: z.string(), since: time }).nullable(),
      problem: z.object({ code: z.string(), detail: z.string(), since: time }).nullable(),
    }),
  ),
});

export const machines = z.object({
  machines: z.array(
    z.object({
      id: z.string(),
      kind: z.enum(['scheduler', 'recording', 'guide', 'library']),
      state: z.string(),
      since: time,
    }),
  ),
});

interface ChartNode {
  readonly path: string;
  readonly label: string;
  readonly initial: boolean;
  readonly children: readonly ChartNode[];
}

const chartNode: z.ZodType<ChartNode> = z
  .object({
    path: z.string().describe('dotted'),
    label: z.string(),
    initial: z.boolean(),
    get children() {
      return z.array(chartNode);
    },
  })
  .meta({ id: 'ChartNode' });

export const charts = z.object({
  charts: z.array(
    z.object({
      kind: z.string(),
      root: chartNode,
      edges: z.array(z.object({ from: z.string(), to: z.string(), event: z.string() })),
    }),
  ),
});

export const overrideAnswer = z.object({ capsule_id: z.string(), word: z.enum(['want', 'skip']).nullable() });

export const words = z.object({
  plan_reasons: z.record(z.string(), z.string()),
  outcome_reasons: z.record(z.string(), z.string()),
});
