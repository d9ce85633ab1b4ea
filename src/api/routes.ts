/** Every address of the HTTP door (CONTRACT §5). */

import { z } from 'zod';
import { COMMAND_VERBS } from '../domain/commands.js';
import type { ApiDoors } from './doors.js';
import { countField, route, type Route } from './route.js';
import * as shapes from './shapes.js';

const REPORT_LIMIT = 10;

export function routesOf(doors: ApiDoors): readonly Route[] {
  return [
    route({
      path: '/healthz',
      summary: '200 while the scheduler ticks, else 503; degraded while the state cannot be written',
      answer: shapes.health,
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
      open: true,
      answers({ reply }) {
        const ready = doors.ready();
        reply.code(ready ? 200 : 503);
        return { ready };
      },
    }),
    route({
      path: '/recordings/recorder.json',
      summary: 'what is being, was and could not be recorded; `limit` items a list, 0 for all',
      query: z.object({ limit: countField('limit', REPORT_LIMIT) }),
      answer: shapes.report,
      answers: ({ query }) => doors.report(query.limit),
    }),
    route({
      path: '/api/upstreams',
      summary: 'accounts with their limits, hosts with their penalties, open connections, who waits and why',
      answer: shapes.upstreams,
      answers: () => doors.upstreams(),
    }),
    route({
      method: 'POST',
      path: '/api/recordings/:id/:command',
      summary: 'a command to a recording, by its id or the beginning of it; given twice, it is done once',
      params: z.object({
        id: z.string().max(40),
        command: z.enum(COMMAND_VERBS, { error: `one of ${COMMAND_VERBS.join(', ')}` }),
      }),
      answer: shapes.commandAnswer,
      errors: ['recording_unknown', 'id_ambiguous', 'recording_over', 'recording_aside', 'state_unwritable'],
      answers: ({ params }) => doors.command(params.command, params.id),
    }),
  ];
}
