/** Every address of the HTTP door (CONTRACT §5). */

import { z } from 'zod';
import { COMMAND_VERBS } from '../domain/commands.js';
import { CodedError } from '../domain/errors.js';
import { OUTCOME_REASONS } from '../domain/outcomeReasons.js';
import { PLAN_REASONS } from '../domain/reasons.js';
import type { ApiDoors } from './doors.js';
import { liveRoutes } from './liveRoutes.js';
import { mediaRoutes } from './mediaRoutes.js';
import { metricsText, METRICS_TYPE } from './metrics.js';
import { countField, idField, route, textField, timeField, type Route } from './route.js';
import * as ofRecordings from './recordingShapes.js';
import * as shapes from './shapes.js';
import type { Thrift } from './thrift.js';

const REPORT_LIMIT = 10;
const RECORDINGS_LIMIT = 1000;
const CHANNELS_LIMIT = 200;
const HOUR_MS = 3_600_000;
/** What recordings are asked for by: lists of the report, or a state. */
const STATES = ['active', 'running', 'completed', ...ofRecordings.machineState.options] as const;

export function routesOf(doors: ApiDoors, thrift: Thrift): readonly Route[] {
  return [
    ...healthRoutes(doors),
    ...viewRoutes(doors, thrift),
    ...commandRoutes(doors, thrift),
    ...mediaRoutes(doors),
    ...liveRoutes(doors),
    route({
      path: '/metrics',
      summary: 'for Prometheus',
      answer: METRICS_TYPE,
      async answers({ reply }) {
        reply.type(METRICS_TYPE);
        return metricsText(await doors.gauges());
      },
    }),
  ];
}

function healthRoutes(doors: ApiDoors): Route[] {
  return [
    route({
      path: '/healthz',
      summary: '200 while the scheduler ticks, else 503; degraded while the state cannot be written',
      answer: shapes.health,
      statuses: [200, 503],
      open: true,
      answers({ reply }) {
        const health = doors.health();
        reply.code(health.ok ? 200 : 503);
        return health;
      },
    }),
    route({
      path: '/readyz',
      summary: '200 once a guide is loaded, else 503',
      answer: shapes.readiness,
      statuses: [200, 503],
      open: true,
      answers({ reply }) {
        const ready = doors.ready();
        reply.code(ready ? 200 : 503);
        return { ready };
      },
    }),
  ];
}

function viewRoutes(doors: ApiDoors, thrift: Thrift): Route[] {
  return [
    route({
      path: '/recordings/recorder.json',
      summary: 'what is being, was and could not be recorded; `limit` items a list, 0 for all',
      query: z.object({ limit: countField('limit', REPORT_LIMIT) }),
      answer: ofRecordings.report,
      thrift,
      answers: ({ query }) => doors.report(query.limit),
    }),
    route({
      path: '/api/recordings',
      summary:
        'recordings, newest first (`order=oldest`: the other way); `state` is active, running, completed, failed or a machine state, `q` is in title or channel',
      query: z.object({
        state: z.enum(['', ...STATES], { error: `one of ${STATES.join(', ')}` }).default(''),
        lane: textField('lane'),
        q: textField('q'),
        order: z
          .enum(['newest', 'oldest'], { error: 'newest or oldest' })
          .default('newest')
          .describe('which start comes first'),
        limit: countField('limit', RECORDINGS_LIMIT),
        offset: countField('offset', 0),
      }),
      answer: ofRecordings.recordings,
      thrift,
      answers: ({ query }) => doors.recordings(query),
    }),
    route({
      path: '/api/recordings/:id',
      summary: 'one recording with everything that is known of it',
      params: z.object({ id: idField }),
      answer: ofRecordings.recordingDetail,
      errors: ['recording_unknown'],
      answers: ({ params }) => doors.recording(params.id) ?? unknown(params.id),
    }),
    route({
      path: '/api/recordings/:id/past',
      summary: 'what happened to it, event by event, and the state after each',
      params: z.object({ id: idField }),
      answer: ofRecordings.past,
      errors: ['recording_unknown'],
      thrift,
      answers: async ({ params }) => (await doors.past(params.id)) ?? unknown(params.id),
    }),
    route({
      path: '/api/plan',
      summary: 'what the daemon decided last about every programme within the horizon, and why',
      answer: shapes.plan,
      thrift,
      answers: () => doors.plan(),
    }),
    route({
      path: '/api/guide',
      summary: 'channels by time, each programme with what was decided about it and what became of it',
      query: z.object({
        from: timeField('from'),
        to: timeField('to'),
        q: textField('q'),
        limit: countField('limit', CHANNELS_LIMIT),
        offset: countField('offset', 0),
      }),
      answer: shapes.guide,
      thrift,
      answers({ query: { from, to, ...rest } }) {
        const fromAt = from ?? Date.now() - HOUR_MS;
        return doors.guide({ ...rest, fromAt, toAt: to ?? fromAt + 6 * HOUR_MS });
      },
    }),
    route({
      path: '/api/why',
      summary: 'decisions and recordings by id, title or channel, past or coming, and why',
      query: z.object({ q: textField('q') }),
      answer: shapes.why,
      thrift,
      answers({ query }) {
        if (query.q.trim() === '') throw new CodedError('request_invalid', 'q: say what to look for.');
        return doors.why(query.q);
      },
    }),
    route({
      path: '/api/upstreams',
      summary: 'accounts with their limits, hosts with their penalties, open connections, who waits and why',
      answer: shapes.upstreams,
      answers: () => doors.upstreams(),
    }),
    route({
      path: '/api/storage',
      summary: 'lanes against their budgets, disks against their floors, and a forecast',
      answer: shapes.storage,
      thrift,
      answers: () => doors.storage(),
    }),
    route({
      path: '/api/sources',
      summary: 'lists and guides in use, what they hold and what is wrong with them',
      answer: shapes.sources,
      answers: () => doors.sources(),
    }),
    route({
      path: '/api/machines',
      summary: 'every living chart, its state and since when',
      answer: shapes.machines,
      answers: () => doors.machines(),
    }),
    route({
      path: '/api/words',
      summary: 'what the codes of reasons mean',
      answer: shapes.words,
      answers: () => ({ plan_reasons: PLAN_REASONS, outcome_reasons: OUTCOME_REASONS }),
    }),
    route({
      path: '/api/charts',
      summary: 'the charts as graphs to be drawn',
      answer: shapes.charts,
      thrift,
      answers: () => doors.charts(),
    }),
  ];
}

function commandRoutes(doors: ApiDoors, thrift: Thrift): Route[] {
  return [
    route({
      method: 'POST',
      path: '/api/recordings/:id/:command',
      summary: 'a command to a recording, by its id or the beginning of it; given twice, it is done once',
      params: z.object({
        id: z.string().max(40),
        command: z.enum(COMMAND_VERBS, { error: `one of ${COMMAND_VERBS.join(', ')}` }),
      }),
      answer: ofRecordings.commandAnswer,
      errors: ['recording_unknown', 'id_ambiguous', 'recording_over', 'recording_aside', 'state_unwritable'],
      async answers({ params }) {
        const answer = await doors.command(params.command, params.id);
        thrift.forget();
        return answer;
      },
    }),
    route({
      method: 'POST',
      path: '/api/programmes/:capsule_id/:word',
      summary: 'a word on a programme, above the policy: want it, skip it, or forget what was said',
      params: z.object({
        capsule_id: z.string().max(1000),
        word: z.enum(['want', 'skip', 'forget'], { error: 'one of want, skip, forget' }),
      }),
      answer: shapes.overrideAnswer,
      errors: ['programme_unknown', 'state_unwritable'],
      async answers({ params: { capsule_id, word } }) {
        if (!(await doors.override(capsule_id, word))) throw new CodedError('programme_unknown', capsule_id);
        thrift.forget();
        return { capsule_id, word: word === 'forget' ? null : word };
      },
    }),
  ];
}

function unknown(id: string): never {
  throw new CodedError('recording_unknown', id);
}
