/** What is sent as it happens: news of recordings, plan and sources, and the charts at work. */

import { z } from 'zod';
import { redactText } from '../domain/redact.js';
import type { Sighting } from '../runtime/inspect.js';
import type { ApiDoors } from './doors.js';
import { openEvents } from './eventStream.js';
import { route, type Route } from './route.js';

const TYPE = 'text/event-stream';

export function liveRoutes(doors: ApiDoors): Route[] {
  /** Numbers of an earlier run mean nothing here. */
  const run = Date.now().toString(36);
  return [
    route({
      path: '/api/events',
      summary: 'what changes, as server-sent events; Last-Event-ID goes on where one was',
      query: z.object({ last_event_id: z.string().optional() }),
      answer: TYPE,
      errors: ['too_many_viewers'],
      async answers({ query, request, reply }) {
        const given = request.headers['last-event-id'] ?? query.last_event_id;
        const seen = /^([0-9a-z]+)-(\d{1,15})$/.exec(String(given ?? ''));
        const line = openEvents(reply);
        const { news } = doors;
        let at = news.last();
        const known = seen?.[1] === run ? news.after(Number(seen[2])) : null;
        if (known) at = Number(seen?.[2]);
        // Whoever is new, or was away for too long, has to look at everything.
        else line.send({ id: `${run}-${at}`, name: 'reset', data: {} });
        const tell = () => {
          const items = news.after(at);
          if (items === null) {
            at = news.last();
            line.send({ id: `${run}-${at}`, name: 'reset', data: {} });
            return;
          }
          for (const item of items) {
            at = item.seq;
            if (!line.send({ id: `${run}-${at}`, name: item.kind, data: doors.shown(item) })) return;
          }
        };
        tell();
        const stop = news.watch(tell);
        void line.gone.then(stop);
      },
    }),
    route({
      path: '/api/inspect',
      summary:
        'the charts at work, as server-sent events: first where each stands, then every event and state',
      answer: TYPE,
      errors: ['too_many_viewers'],
      async answers({ reply }) {
        const line = openEvents(reply);
        for (const { since, ...machine } of doors.inspector.contexts())
          line.send({ name: 'state', data: shownSighting({ type: 'state', at: since, ...machine }) });
        line.send({ name: 'live', data: {} });
        const stop = doors.inspector.watch((seen, missed) => {
          if (missed > 0) line.send({ name: 'missed', data: { count: missed } });
          for (const each of latest(seen))
            if (!line.send({ name: each.type, data: shownSighting(each) })) return;
        });
        void line.gone.then(stop);
      },
    }),
  ];
}

/** Of several states of one chart in a batch the last one says it all; events are all told. */
function latest(seen: readonly Sighting[]): Sighting[] {
  const last = new Map<string, Sighting>();
  for (const each of seen) if (each.type === 'state') last.set(each.id, each);
  return seen.filter((each) => each.type !== 'state' || last.get(each.id) === each);
}

/** Contexts and events hold references, not addresses; what a fault's text may quote is searched all the same. */
export function shownSighting(sighting: Sighting): object {
  const { at, ...rest } = sighting;
  return JSON.parse(redactText(JSON.stringify({ ...rest, at: new Date(at).toISOString() }))) as object;
}
