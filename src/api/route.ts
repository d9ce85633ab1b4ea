/**
 * One address of the HTTP door: what it takes, what it answers, and how. The server and the OpenAPI document are both
 * made from a list of these, so that neither can say what the other does not do.
 */

import { Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { CodedError, type ErrorCode } from '../domain/errors.js';
import { JsonBytes } from '../domain/json.js';
import type { Thrift } from './thrift.js';

type Fields = z.ZodObject;

export interface Route {
  readonly method: 'GET' | 'POST';
  /** With `:name` for parameters. */
  readonly path: string;
  readonly summary: string;
  readonly params: Fields;
  readonly query: Fields;
  /** What a 200 carries: the shape of its JSON, or the media type of something else. */
  readonly answer: z.ZodType | string;
  /** With which the answer comes: 200, and 503 where that says the same of what is not well. */
  readonly statuses: readonly number[];
  /** Beyond those that every address has. */
  readonly errors: readonly ErrorCode[];
  /** Answered to everybody: it says whether the daemon lives, and nothing else (CONTRACT §5). */
  readonly open: boolean;
  /** What it gives back is sent as JSON; a reply that was sent already is left alone. */
  readonly handle: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;
}

export interface Asked<P, Q> {
  readonly params: P;
  readonly query: Q;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

export interface RouteWish<P extends Fields, Q extends Fields> extends Partial<
  Pick<Route, 'method' | 'statuses' | 'errors' | 'open'>
> {
  readonly path: string;
  readonly summary: string;
  readonly params?: P;
  readonly query?: Q;
  readonly answer: Route['answer'];
  /** For answers that cost much: made once for all who ask at the same time. */
  readonly thrift?: Thrift;
  readonly answers: (asked: Asked<z.infer<P>, z.infer<Q>>) => unknown;
}

const NOTHING = z.object({});
/** Copied in some tens of microseconds. */
const BLOCK_BYTES = 128 * 1024;

export function route<P extends Fields = typeof NOTHING, Q extends Fields = typeof NOTHING>(
  wish: RouteWish<P, Q>,
): Route {
  const params = wish.params ?? (NOTHING as unknown as P);
  const query = wish.query ?? (NOTHING as unknown as Q);
  return {
    method: wish.method ?? 'GET',
    path: wish.path,
    summary: wish.summary,
    params,
    query,
    answer: wish.answer,
    statuses: wish.statuses ?? [200],
    errors: wish.errors ?? [],
    open: wish.open ?? false,
    async handle(request, reply) {
      const asked = {
        params: checked(params, request.params),
        query: checked(query, request.query),
        request,
        reply,
      };
      if (!wish.thrift) return wish.answers(asked);
      reply.type('application/json; charset=utf-8');
      const key = JSON.stringify([wish.path, asked.params, asked.query]);
      const written = await wish.thrift.json(key, () => wish.answers(asked));
      return written instanceof JsonBytes ? Readable.from(inTurn(written), { objectMode: false }) : written;
    },
  };
}

/**
 * A block at a time, each in a turn of its own: a socket that is read as fast takes tens of megabytes in one, and the
 * captures would wait (P1).
 */
async function* inTurn(written: JsonBytes): AsyncGenerator<Uint8Array> {
  for (const block of written.blocks(BLOCK_BYTES)) {
    yield block;
    await turn();
  }
}

/** Throws CodedError `request_invalid` naming what is wrong. */
function checked<F extends Fields>(shape: F, given: unknown): z.infer<F> {
  const read = shape.safeParse(given);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new CodedError('request_invalid', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'wrong'}`);
}

/** A number in a query: whole, 0 for "all" where it is a limit. */
export function countField(name: string, standard: number) {
  return z
    .string(`${name} is a whole number, 0 for all.`)
    .regex(/^\d{0,9}$/, `${name} is a whole number, 0 for all.`)
    .optional()
    .transform((text) => (text === undefined || text === '' ? standard : Number(text)));
}

/** A word in a query; '' where it is not given. */
export function textField(name: string, form = /^[^]{0,200}$/) {
  return z
    .string(`${name} is given once.`)
    .regex(form, `${name} is not what it should be.`)
    .optional()
    .transform((text) => text ?? '');
}

/** A moment in a query: RFC 3339 or epoch milliseconds; null where it is not given. */
export function timeField(name: string) {
  const wrong = `${name} is a time: RFC 3339, or milliseconds since 1970.`;
  return z
    .string(wrong)
    .optional()
    .transform((text, context) => {
      if (text === undefined || text === '') return null;
      const at = /^\d{1,15}$/.test(text) ? Number(text) : Date.parse(text);
      if (Number.isFinite(at) && Math.abs(at) < 8e15) return at;
      context.addIssue(wrong);
      return z.NEVER;
    });
}

/** A whole id. */
export const idField = z.string().regex(/^[0-9a-f]{8,40}$/, 'eight hex digits');
