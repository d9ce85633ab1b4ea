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
import { type AccessPolicy, decideAccess, isOwnOrigin, mayListen } from './access.js';
import { answerFor, type ErrorAnswer, errorAnswer } from './answers.js';
import type { ApiDoors } from './doors.js';
import { openApiOf } from './openapi.js';
import { loadPages, pageRoutes, TOKEN_PAGE, type Pages } from './pages.js';
import { route, type Route } from './route.js';
import { routesOf } from './routes.js';
import { createThrift } from './thrift.js';

export interface ApiOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly access: { readonly token: string | null; readonly noAuth: boolean };
  readonly publicUrl: string | null;
  /** That may be open at once. */
  readonly connectionsMax?: number;
  readonly doors: ApiDoors;
  /** Of the program, for the OpenAPI document. */
  readonly version?: string;
  /** Of the built dashboard, or null. */
  readonly webFolder?: string | null;
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
/** What people open. */
const PAGES: ReadonlySet<string> = new Set(['/', '/inspect']);
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** Rejects with CodedError `listen_open` (no token for an outside address) or `listen_failed` (address not usable). */
export async function startApi(options: ApiOptions): Promise<Api> {
  const policy = policyOf(options);
  if (!mayListen(policy)) throw new CodedError('listen_open', formatListen(options));
  const app = buildServer(options, policy, await loadPages(options.webFolder ?? null));
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

function buildServer(options: ApiOptions, policy: AccessPolicy, pages: Pages): FastifyInstance {
  const prefix = options.publicUrl === null ? '' : new URL(options.publicUrl).pathname.replace(/\/+$/, '');
  const app: FastifyInstance = fastify({
    ...(options.log ? { loggerInstance: options.log } : {}),
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: REQUEST_BYTES_MAX,
    // Capsule ids are long.
    routerOptions: { maxParamLength: 1000 },
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
  if (options.connectionsMax !== undefined) app.server.maxConnections = options.connectionsMax;

  const routes: readonly Route[] = [
    ...routesOf(options.doors, createThrift()),
    ...pageRoutes(pages),
    route({
      path: '/api/openapi.json',
      summary: 'this',
      answer: z.looseObject({ openapi: z.string() }),
      answers: () => document,
    }),
  ];
  const document = openApiOf(routes, options.version ?? '');
  const open = new Set(routes.flatMap((each) => (each.open ? [each.path] : [])));

  app.addHook('onRequest', async (request, reply) => {
    reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff');
    if (!request.originalUrl.startsWith('/') || hostsOf(request) > 1)
      return send(reply, errorAnswer('request_invalid', 'A request is for one address of one host.'));
    if (open.has(request.routeOptions.url ?? '')) return;
    const { host, origin, authorization, 'sec-fetch-site': fetchSite } = request.headers;
    const { token } = tokenShape.parse(request.query);
    const access = decideAccess(policy, {
      hostHeader: host,
      headerNames: Object.keys(request.headers),
      authorization,
      queryToken: token,
    });
    if (access.kind === 'refused') {
      const answer = errorAnswer(access.code);
      if (answer.status === 401) reply.header('www-authenticate', 'Bearer');
      if (answer.status === 401 && PAGES.has(request.routeOptions.url ?? '') && wantsPage(request)) {
        reply.code(401).type(TOKEN_PAGE.type).header('content-security-policy', TOKEN_PAGE.policy);
        return reply.send(TOKEN_PAGE.body);
      }
      return send(reply, answer);
    }
    const changes = request.method !== 'GET' && request.method !== 'HEAD';
    if (changes && !isOwnOrigin(origin, fetchSite ?? '', host, policy.publicHost))
      return send(reply, errorAnswer('origin_foreign'));
  });
  app.setErrorHandler(async (error, request, reply) => {
    const answer = answerFor(error);
    if (answer.body.error.code === 'bug') request.log.error({ err: error }, 'a request failed');
    await send(reply, answer);
  });
  takeBodies(app);
  addRoutes(app, routes);
  app.setNotFoundHandler(async (request, reply) =>
    send(reply, errorAnswer('not_found', `There is nothing at ${request.url.split('?')[0] ?? ''}.`)),
  );
  return app;
}

/** What a proxy in front and we might each take another one of. */
function hostsOf({ raw }: FastifyRequest): number {
  return raw.rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length;
}

function wantsPage({ headers }: FastifyRequest): boolean {
  return headers.accept?.includes('text/html') ?? false;
}

const tokenShape = z.object({ token: z.string().optional().catch(undefined) });

/** No command needs a body; one that comes all the same is read, bounded, and must be what it says it is. */
function takeBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (request, body, done) => {
    const isJson = /^application\/json\b/.test(request.headers['content-type'] ?? '');
    try {
      done(null, isJson && body !== '' ? JSON.parse(String(body)) : null);
    } catch {
      done(new CodedError('request_invalid', 'The body is no JSON.'));
    }
  });
}

/** A wrong method is told from a wrong address. */
function addRoutes(app: FastifyInstance, routes: readonly Route[]): void {
  const methods = new Map<string, Set<string>>();
  for (const { method, path, handle } of routes) {
    methods.set(path, (methods.get(path) ?? new Set()).add(method));
    app.route({
      method,
      url: path,
      handler: async (request, reply) => {
        const answer = await handle(request, reply);
        return reply.sent ? reply : reply.send(answer);
      },
    });
  }
  for (const [url, allowed] of methods) {
    const allow = [...allowed].flatMap((each) => (each === 'GET' ? ['GET', 'HEAD'] : [each])).join(', ');
    app.route({
      method: METHODS.filter((each) => !allowed.has(each)),
      url,
      handler: async (_request, reply) =>
        send(
          reply.header('allow', allow),
          answerFor(new CodedError('method_not_allowed', `It takes ${allow}.`)),
        ),
    });
  }
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
