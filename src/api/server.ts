/**
 * The HTTP door (CONTRACT §5): health, readiness and the report, under the access rules of `access.ts`.
 * A slow, huge or broken request costs the one who sends it: sizes, times and connections are bounded (P8).
 */
import type { Socket } from 'node:net';
import fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import { z } from 'zod';
import { formatListen } from '../domain/address.js';
import { CodedError } from '../domain/errors.js';
import { parseCount } from '../domain/quantity.js';
import { type AccessPolicy, decideAccess, mayListen } from './access.js';
import { answerFor, type ErrorAnswer, errorAnswer } from './answers.js';

/** What the daemon shows through this door; read at every request. */
export interface ApiDoors {
  /** `ok`: the scheduler ticks. `degraded`: it does, but something (the state file) is wrong. More fields are shown. */
  health(): { readonly ok: boolean; readonly degraded: boolean };
  /** A guide is loaded. */
  ready(): boolean;
  /** CONTRACT §3's report with at most `limit` items a list, 0 is all. A CodedError becomes its HTTP answer. */
  report(limit: number): object | Promise<object>;
  /** Accounts, hosts, connections and who waits for one. */
  upstreams(): object;
}

export interface ApiOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly access: { readonly token: string | null; readonly noAuth: boolean };
  readonly publicUrl: string | null;
  readonly doors: ApiDoors;
  readonly log?: FastifyBaseLogger;
}

export interface Api {
  /** `http://127.0.0.1:8998` */
  readonly address: string;
  readonly port: number;
  /** Ends every connection. */
  close(): Promise<void>;
}

const REQUEST_BYTES_MAX = 64 * 1024;
const HEADER_BYTES_MAX = 16 * 1024;
const REQUEST_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 15_000;
const CONNECTIONS_MAX = 256;
const REPORT_LIMIT = 10;

/** Answered to everybody: they say whether it lives, and nothing else (CONTRACT §5). */
const OPEN_PATHS: ReadonlySet<string> = new Set(['/healthz', '/readyz']);

/** Rejects with CodedError `listen_open` (no token for an outside address) or `listen_failed` (address not usable). */
export async function startApi(options: ApiOptions): Promise<Api> {
  const policy = policyOf(options);
  if (!mayListen(policy)) throw new CodedError('listen_open', formatListen(options));
  const app = buildServer(options, policy);
  try {
    await app.listen({ host: options.host, port: options.port });
  } catch (error) {
    await app.close();
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new CodedError('listen_failed', `${formatListen(options)} (${code})`);
  }
  if (policy.noAuth)
    options.log?.warn({ listen: formatListen(options) }, 'no token is asked of anybody (--no-auth)');
  const bound = app.server.address();
  const port = bound !== null && typeof bound === 'object' ? bound.port : options.port;
  return {
    address: `http://${formatListen({ host: options.host, port })}`,
    port,
    close: () => app.close(),
  };
}

function policyOf({ host, access, publicUrl }: ApiOptions): AccessPolicy {
  const publicHost = publicUrl === null ? null : new URL(publicUrl).host.toLowerCase();
  return { host, token: access.token, noAuth: access.noAuth, publicHost };
}

function buildServer(options: ApiOptions, policy: AccessPolicy): FastifyInstance {
  const prefix = options.publicUrl === null ? '' : new URL(options.publicUrl).pathname.replace(/\/+$/, '');
  const app: FastifyInstance = fastify({
    ...(options.log ? { loggerInstance: options.log } : {}),
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: REQUEST_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: IDLE_TIMEOUT_MS,
    forceCloseConnections: true,
    http: {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: REQUEST_TIMEOUT_MS / 2,
    },
    rewriteUrl: (request) => withoutPrefix(request.url ?? '/', prefix),
    frameworkErrors: (error, _request, reply) => {
      void send(reply, answerFor(error));
    },
    clientErrorHandler: (error, socket) => refuseSocket(error, socket),
  });
  app.server.maxConnections = CONNECTIONS_MAX;

  app.addHook('onRequest', async (request, reply) => {
    reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff');
    if (OPEN_PATHS.has(request.routeOptions.url ?? '')) return;
    const access = decideAccess(policy, {
      hostHeader: request.headers.host,
      headerNames: Object.keys(request.headers),
      authorization: request.headers.authorization,
      queryToken: queryOf(request).token,
    });
    if (access.kind === 'refused') {
      const answer = errorAnswer(access.code);
      if (answer.status === 401) reply.header('www-authenticate', 'Bearer');
      await send(reply, answer);
    }
  });
  app.setErrorHandler(async (error, request, reply) => {
    const answer = answerFor(error);
    if (answer.body.error.code === 'bug') request.log.error({ err: error }, 'a request failed');
    await send(reply, answer);
  });

  const paths = addRoutes(app, options.doors);
  app.setNotFoundHandler(async (request, reply) => {
    const path = request.url.split('?')[0] ?? '';
    if (!paths.has(path)) return send(reply, errorAnswer('not_found', `There is nothing at ${path}.`));
    return send(reply.header('allow', 'GET, HEAD'), errorAnswer('method_not_allowed'));
  });
  return app;
}

/** Returns the paths, so that a wrong method is told from a wrong address. */
function addRoutes(app: FastifyInstance, doors: ApiDoors): ReadonlySet<string> {
  app.get('/healthz', async (_request, reply) => {
    const health = doors.health();
    return reply.code(health.ok ? 200 : 503).send(health);
  });
  app.get('/readyz', async (_request, reply) => {
    const ready = doors.ready();
    return reply.code(ready ? 200 : 503).send({ ready });
  });
  app.get('/api/upstreams', async (_request, reply) => reply.send(doors.upstreams()));
  app.get('/recordings/recorder.json', async (request, reply) => {
    const limit = limitOf(queryOf(request).limit);
    return reply.send(await doors.report(limit));
  });
  return new Set(['/healthz', '/readyz', '/recordings/recorder.json', '/api/upstreams']);
}

const queryShape = z.object({
  token: z.string().optional().catch(undefined),
  limit: z.string().optional().catch('given more than once'),
});

function queryOf(request: FastifyRequest): z.infer<typeof queryShape> {
  return queryShape.parse(request.query);
}

function limitOf(text: string | undefined): number {
  if (text === undefined || text === '') return REPORT_LIMIT;
  const limit = parseCount(text);
  if (limit === null) throw new CodedError('request_invalid', 'limit is a whole number, 0 for all.');
  return limit;
}

/** A proxy may or may not take the sub-path off itself; both are understood. */
function withoutPrefix(url: string, prefix: string): string {
  if (prefix === '' || !url.startsWith(prefix)) return url;
  const rest = url.slice(prefix.length);
  if (rest === '') return '/';
  if (rest.startsWith('/')) return rest;
  return rest.startsWith('?') ? `/${rest}` : url;
}

async function send(reply: FastifyReply, answer: ErrorAnswer): Promise<void> {
  await reply.code(answer.status).send(answer.body);
}

/** What is no HTTP has no reply object yet. */
function refuseSocket(error: Error, socket: Socket): void {
  if (!socket.writable) return;
  const { status, body } = answerFor(error);
  const text = JSON.stringify(body);
  socket.end(
    `HTTP/1.1 ${status} ${status === 413 ? 'Content Too Large' : 'Bad Request'}\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`,
  );
}
