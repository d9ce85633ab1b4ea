/**
 * What the fakes of Plex, Jellyfin and Emby share: a real HTTP server that remembers every request and can be down,
 * starting, slow, hanging, moved elsewhere, or of another opinion about the token.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** What it was answered with; 0 where it never was. */
  status: number;
  readonly at: number;
}

export interface FakeAnswer {
  readonly status: number;
  readonly body?: string;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface FakeLibrary {
  id: string;
  name: string;
  /** The server's own word. */
  type: string;
  locations: string[];
  agent?: string;
  scanner?: string;
}

/** What stands in the way of every request. */
export type Mood =
  | { readonly kind: 'well' }
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  | { readonly kind: 'hang' }
  | { readonly kind: 'slow'; readonly ms: number }
  | { readonly kind: 'redirect'; readonly to: string; readonly status?: number }
  /** Acts, and breaks the connection off instead of answering. */
  | { readonly kind: 'deaf'; readonly method: string };

export interface FakeMediaServer {
  readonly url: string;
  readonly port: number;
  readonly token: string;
  readonly requests: readonly SeenRequest[];
  readonly libraries: FakeLibrary[];
  /** Folders that it was told of and would look at, in order. */
  readonly scans: readonly { readonly folder: string; readonly at: number }[];
  /** Whole libraries that it was told to look at. */
  readonly wholeScans: readonly string[];
  setMood(mood: Mood): void;
  setToken(token: string): void;
  /** Takes it down; `up` brings it back on the same port. */
  down(): Promise<void>;
  up(): Promise<void>;
  close(): Promise<void>;
}

/** What a kind of server knows and does. */
export interface FakeState {
  token: string;
  readonly libraries: FakeLibrary[];
  readonly scans: { folder: string; at: number }[];
  readonly wholeScans: string[];
}

export interface FakeOptions {
  readonly token?: string;
  readonly libraries?: readonly FakeLibrary[];
  /** Folders that exist where the server runs; all of them unless given. */
  readonly folderExists?: (path: string) => boolean;
  /** Media that it has found, by path of the file. */
  readonly media?: () => readonly string[];
}

export async function startFake(
  options: FakeOptions,
  answer: (request: SeenRequest, state: FakeState) => FakeAnswer,
): Promise<FakeMediaServer> {
  const state: FakeState = {
    token: options.token ?? 's3cret-token',
    libraries: structuredClone([...(options.libraries ?? [])]),
    scans: [],
    wholeScans: [],
  };
  const requests: SeenRequest[] = [];
  let mood: Mood = { kind: 'well' };
  const sockets = new Set<Socket>();

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await seen(incoming);
    requests.push(request);
    if (mood.kind === 'hang') return;
    if (mood.kind === 'slow') {
      const { ms } = mood;
      await new Promise((resolve) => setTimeout(resolve, ms));
    }
    if (mood.kind === 'status') return give({ status: mood.status, headers: mood.headers ?? {} });
    if (mood.kind === 'redirect') {
      const location = mood.to + (incoming.url ?? '');
      return give({ status: mood.status ?? 301, headers: { location } });
    }
    const given = answer(request, state);
    if (mood.kind === 'deaf' && mood.method === request.method) {
      incoming.socket.destroy();
      return;
    }
    give(given);

    function give({ status, body = '', type, headers = {} }: FakeAnswer): void {
      request.status = status;
      response.writeHead(status, { ...(type !== undefined && { 'content-type': type }), ...headers });
      response.end(body);
    }
  }

  let server: Server | null = null;
  let port = 0;
  async function up(): Promise<void> {
    const listener = (incoming: IncomingMessage, response: ServerResponse) => void serve(incoming, response);
    const made = createServer(listener);
    made.on('connection', (socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    });
    await new Promise<void>((resolve) => made.listen(port, '127.0.0.1', resolve));
    server = made;
    ({ port } = made.address() as AddressInfo);
  }
  async function down(): Promise<void> {
    const going = server;
    server = null;
    for (const socket of sockets) socket.destroy();
    if (going) await new Promise((resolve) => going.close(resolve));
  }
  await up();
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    get token() {
      return state.token;
    },
    requests,
    libraries: state.libraries,
    scans: state.scans,
    wholeScans: state.wholeScans,
    setMood: (next) => void (mood = next),
    setToken: (token) => void (state.token = token),
    down,
    up,
    close: down,
  };
}

async function seen(incoming: IncomingMessage): Promise<SeenRequest> {
  const url = new URL(incoming.url ?? '/', 'http://fake');
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) headers[name] = String(value);
  return {
    method: incoming.method ?? '',
    path: url.pathname,
    query: url.searchParams,
    headers,
    body: Buffer.concat(chunks).toString('utf8'),
    status: 0,
    at: Date.now(),
  };
}

export function jsonAnswer(value: unknown, status = 200): FakeAnswer {
  return { status, body: JSON.stringify(value), type: 'application/json' };
}

/** The body as a record, or null. */
export function bodyOf(request: SeenRequest): Record<string, unknown> | null {
  if (!(request.headers['content-type'] ?? '').startsWith('application/json')) return null;
  try {
    const value: unknown = JSON.parse(request.body);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** `/Library/Media/Updated` of Emby and Jellyfin; null for a body that is none. */
export function updatesOf(request: SeenRequest): { Path: string; UpdateType: string }[] | null {
  const updates = bodyOf(request)?.['Updates'];
  if (!Array.isArray(updates)) return null;
  const all = updates as { Path?: unknown; UpdateType?: unknown }[];
  const good = all.every(
    ({ Path, UpdateType }) => typeof Path === 'string' && typeof UpdateType === 'string',
  );
  return good ? (all as { Path: string; UpdateType: string }[]) : null;
}
