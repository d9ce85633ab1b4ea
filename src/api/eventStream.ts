/**
 * Server-sent events (PROTOCOLS §8): numbered, so that whoever was cut off goes on where he was; a comment now and
 * then, so that proxies keep the line; whoever does not read is let go and comes back by himself.
 */

import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import { CodedError } from '../domain/errors.js';

const PING_MS = 15_000;
const RETRY_MS = 3_000;
const VIEWERS_MAX = 64;
/** Unread bytes of one viewer. */
const BEHIND_BYTES_MAX = 1024 * 1024;

let viewers = 0;

export interface EventLine {
  /** False once the viewer is gone. */
  send(event: { readonly id?: string; readonly name: string; readonly data: unknown }): boolean;
  readonly gone: Promise<void>;
}

/** Takes the reply over. Throws CodedError `too_many_viewers`. */
export function openEvents(reply: FastifyReply): EventLine {
  if (viewers >= VIEWERS_MAX) throw new CodedError('too_many_viewers', '');
  viewers += 1;
  reply.hijack();
  const response: ServerResponse = reply.raw;
  response.socket?.setTimeout(0);
  response.socket?.setNoDelay(true);
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    'x-content-type-options': 'nosniff',
  });
  response.write(`retry: ${RETRY_MS}\n\n`);
  const ping = setInterval(() => write(':\n\n'), PING_MS);
  const gone = new Promise<void>((resolve) => {
    response.once('close', () => {
      clearInterval(ping);
      viewers -= 1;
      resolve();
    });
  });

  function write(text: string): boolean {
    if (response.destroyed || response.writableEnded) return false;
    response.write(text);
    if (response.writableLength <= BEHIND_BYTES_MAX) return true;
    response.destroy();
    return false;
  }

  return {
    gone,
    send: ({ id, name, data }) =>
      write(`${id === undefined ? '' : `id: ${id}\n`}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`),
  };
}
