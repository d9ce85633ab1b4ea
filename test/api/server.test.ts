/** The HTTP door as clients see it: real requests to a listener on loopback. */
import { request } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type Api, type ApiOptions, startApi } from '../../src/api/server.js';
import { doorsThat } from './aDoor.js';
import { CodedError } from '../../src/domain/errors.js';
import { JsonBytes } from '../../src/domain/json.js';

const open: Api[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((api) => api.close()));
});

async function start(given: Partial<ApiOptions> = {}): Promise<Api> {
  const api = await startApi({
    host: '127.0.0.1',
    port: 0,
    access: { token: null, noAuth: false },
    publicUrl: null,
    doors: doorsThat({}),
    ...given,
  });
  open.push(api);
  return api;
}

interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: unknown;
}

/** `fetch` does not let a test choose the Host header. */
function ask(
  api: Api,
  path: string,
  how: { method?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port: api.port,
        path,
        method: how.method ?? 'GET',
        headers: how.headers ?? {},
        agent: false,
      },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          resolve({
            status: answer.statusCode ?? 0,
            headers: answer.headers,
            body: text === '' ? null : (JSON.parse(text) as unknown),
          });
        });
      },
    );
    sent.on('error', reject);
    sent.end();
  });
}

function rawAnswer(api: Api, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(api.port, '127.0.0.1', () => socket.write(text));
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('close', () => resolve(Buffer.concat(chunks).toString()));
    socket.on('error', reject);
  });
}

describe('the doors', () => {
  it('say whether the daemon lives and is ready', async () => {
    let state = { ok: true, degraded: true, problem: null };
    let ready = false;
    const doors = doorsThat({ health: () => state, ready: () => ready });
    const api = await start({ doors });
    expect(await ask(api, '/healthz')).toMatchObject({ status: 200, body: { ok: true, degraded: true } });
    expect(await ask(api, '/readyz')).toMatchObject({ status: 503, body: { ready: false } });
    state = { ok: false, degraded: false, problem: null };
    ready = true;
    expect(await ask(api, '/healthz')).toMatchObject({ status: 503, body: { ok: false } });
    expect(await ask(api, '/readyz')).toMatchObject({ status: 200, body: { ready: true } });
  });

  it('give the report with ten items a list, or as many as asked', async () => {
    const api = await start();
    expect(await ask(api, '/recordings/recorder.json')).toMatchObject({ status: 200, body: { limit: 10 } });
    expect(await ask(api, '/recordings/recorder.json?limit=3')).toMatchObject({ body: { limit: 3 } });
    expect(await ask(api, '/recordings/recorder.json?limit=0')).toMatchObject({ body: { limit: 0 } });
    for (const limit of ['-1', 'many', '1&limit=2']) {
      expect(await ask(api, `/recordings/recorder.json?limit=${limit}`)).toMatchObject({
        status: 400,
        body: { error: { code: 'request_invalid', message: expect.stringContaining('limit') } },
      });
    }
    expect(await ask(api, '/healthz', { method: 'HEAD' })).toMatchObject({ status: 200, body: null });
  });

  it('answer a wrong method with 405 and a wrong address with 404, in the shape of every error', async () => {
    const api = await start();
    const wrong = await ask(api, '/recordings/recorder.json', { method: 'POST' });
    expect(wrong).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
    expect(wrong.body).toEqual({
      error: { code: 'method_not_allowed', message: expect.any(String), hint: expect.any(String) },
    });
    expect(await ask(api, '/nowhere')).toMatchObject({ status: 404, body: { error: { code: 'not_found' } } });
    expect(await ask(api, '/%zz')).toMatchObject({
      status: 400,
      body: { error: { code: 'request_invalid' } },
    });
  });

  it('refuse a state that there is not, naming those that there are', async () => {
    const api = await start();
    for (const state of ['', 'running', 'completed', 'failed', 'expired'])
      expect(await ask(api, `/api/recordings?state=${state}`)).toMatchObject({ status: 200 });
    expect(await ask(api, '/api/recordings?state=runing')).toMatchObject({
      status: 400,
      body: { error: { code: 'request_invalid', message: expect.stringContaining('running') } },
    });
  });

  it('answer a failure with its code and status, and show nothing of a bug', async () => {
    const broken = (error: Error) => doorsThat({ report: () => Promise.reject(error) });
    const coded = await start({ doors: broken(new CodedError('guide_unreadable', 'http://u:hunter2@h/x')) });
    const answer = await ask(coded, '/recordings/recorder.json');
    expect(answer).toMatchObject({ status: 502, body: { error: { code: 'guide_unreadable' } } });
    expect(JSON.stringify(answer.body)).not.toContain('hunter2');
    const bug = await ask(await start({ doors: broken(new Error('hunter2')) }), '/recordings/recorder.json');
    expect(bug).toMatchObject({ status: 500, body: { error: { code: 'bug' } } });
    expect(JSON.stringify(bug.body)).not.toContain('hunter2');
  });
});

it('shows upstreams to whoever may see the report', async () => {
  const api = await start();
  expect(await ask(api, '/api/upstreams')).toMatchObject({ status: 200, body: { accounts: [] } });
  expect((await ask(api, '/api/upstreams', { headers: { host: 'evil.example' } })).status).toBe(403);
  expect((await ask(api, '/api/upstreams', { method: 'POST' })).status).toBe(405);
});

describe('a command', () => {
  const told: string[] = [];
  const doors = doorsThat({
    command(verb, id) {
      if (id === 'beef') return Promise.reject(new CodedError('recording_unknown', id));
      told.push(`${verb} ${id}`);
      return Promise.resolve({ command: verb, id, changed: true, machine_state: 'expired', recording: null });
    },
  });
  const post = (headers: Record<string, string> = {}) => ({ method: 'POST', headers });

  it('is a POST to the recording, and nothing else', async () => {
    const api = await start({ doors });
    expect(await ask(api, '/api/recordings/1a2b3c4d/keep', post())).toMatchObject({
      status: 200,
      body: { command: 'keep', id: '1a2b3c4d', changed: true },
    });
    expect(told.splice(0)).toEqual(['keep 1a2b3c4d']);
    expect(await ask(api, '/api/recordings/1a2b3c4d/keep')).toMatchObject({
      status: 405,
      headers: { allow: 'POST' },
      body: { error: { code: 'method_not_allowed', message: expect.stringMatching(/It takes POST\.$/) } },
    });
    expect(await ask(api, '/api/recordings/1a2b3c4d/burn', post())).toMatchObject({
      status: 400,
      body: { error: { code: 'request_invalid', message: expect.stringContaining('one of cancel') } },
    });
    expect(await ask(api, '/api/recordings/beef/keep', post())).toMatchObject({
      status: 404,
      body: { error: { code: 'recording_unknown' } },
    });
    expect(told).toEqual([]);
  });

  it('is not taken from a page of another site', async () => {
    const api = await start({ doors, publicUrl: 'https://nas/catchupd/' });
    const own = `http://127.0.0.1:${api.port}`;
    const host = `127.0.0.1:${api.port}`;
    const path = '/api/recordings/1a2b3c4d/delete';
    for (const foreign of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: `http://127.0.0.1:${api.port + 1}` },
      { origin: 'file://' },
      { 'sec-fetch-site': 'cross-site' },
    ])
      expect(await ask(api, path, post({ host, ...foreign }))).toMatchObject({
        status: 403,
        body: { error: { code: 'origin_foreign' } },
      });
    expect(told).toEqual([]);
    for (const ours of [{ origin: own }, { origin: 'https://nas' }, {}])
      expect((await ask(api, path, post({ host, ...ours }))).status).toBe(200);
    expect(told.splice(0)).toHaveLength(3);
  });

  it('needs no body, takes one that is what it says, and refuses what is broken or huge', async () => {
    const api = await start({ doors });
    const send = (type: string, body: string) =>
      rawAnswer(
        api,
        `POST /api/recordings/1a/keep HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n` +
          `Content-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
    expect(await send('application/json', '{}')).toMatch(/^HTTP\/1.1 200/);
    expect(await send('application/x-www-form-urlencoded', 'a=b')).toMatch(/^HTTP\/1.1 200/);
    expect(told.splice(0)).toHaveLength(2);
    expect(await send('application/json', '{"a":')).toMatch(/^HTTP\/1.1 400[^]*request_invalid/);
    expect(await send('text/plain', 'x'.repeat(70_000))).toMatch(/^HTTP\/1.1 413[^]*request_too_large/);
    expect(told).toEqual([]);
  });
});

describe('the OpenAPI document', () => {
  it('has every address with what it takes', async () => {
    const api = await start({ version: '1.2.3' });
    const { status, body } = await ask(api, '/api/openapi.json');
    expect(status).toBe(200);
    const { openapi, info, paths } = body as {
      openapi: string;
      info: object;
      paths: Record<string, Record<string, { parameters?: { name: string }[]; responses: object }>>;
    };
    expect(openapi).toBe('3.1.0');
    expect(info).toMatchObject({ version: '1.2.3' });
    expect(paths['/recordings/recorder.json']?.['get']?.parameters).toMatchObject([{ name: 'limit' }]);
    const command = paths['/api/recordings/{id}/{command}']?.['post'];
    expect(command?.parameters?.map(({ name }) => name)).toEqual(['id', 'command']);
    expect(Object.keys(command?.responses ?? {})).toEqual([
      '200',
      '400',
      '401',
      '403',
      '404',
      '409',
      '503',
      'default',
    ]);
    expect(paths).toHaveProperty('/healthz');
  });
});

describe('access', () => {
  const report = '/recordings/recorder.json';

  it('without a token is for this machine alone', async () => {
    const api = await start();
    expect((await ask(api, report)).status).toBe(200);
    expect(await ask(api, report, { headers: { host: 'evil.example' } })).toMatchObject({
      status: 403,
      body: { error: { code: 'host_unknown' } },
    });
    expect(await ask(api, report, { headers: { 'X-Forwarded-For': '10.0.0.1' } })).toMatchObject({
      status: 403,
      body: { error: { code: 'forwarded' } },
    });
    expect((await ask(api, '/healthz', { headers: { host: 'evil.example', via: '1.1 x' } })).status).toBe(
      200,
    );
    expect((await ask(api, '/readyz', { headers: { host: 'evil.example' } })).status).toBe(503);
  });

  it('with a token asks whoever is not plainly on this machine, in the header or the query', async () => {
    const api = await start({ access: { token: 'right', noAuth: false } });
    expect((await ask(api, report)).status).toBe(200);
    const away = { host: 'nas' };
    const bearer = (token: string) => ({ headers: { ...away, authorization: `Bearer ${token}` } });
    expect(await ask(api, report, { headers: away })).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': 'Bearer' },
    });
    expect(await ask(api, '/nowhere', { headers: away })).toMatchObject({ status: 401 });
    expect((await ask(api, report, bearer('wrong'))).status).toBe(401);
    expect((await ask(api, report, bearer('right'))).status).toBe(200);
    expect((await ask(api, `${report}?token=right`, { headers: away })).status).toBe(200);
    expect((await ask(api, '/healthz', { headers: away })).status).toBe(200);
  });

  it('from outside is not opened without a token or --no-auth', async () => {
    await expect(start({ host: '0.0.0.0' })).rejects.toMatchObject({
      code: 'listen_open',
      detail: '0.0.0.0:0',
    });
    const api = await start({ host: '0.0.0.0', access: { token: null, noAuth: true } });
    expect((await ask(api, report, { headers: { host: 'nas' } })).status).toBe(200);
  });

  it('behind a public address takes its host and its path, and the bare path as well', async () => {
    const api = await start({ publicUrl: 'https://nas/catchupd' });
    const headers = { host: 'nas' };
    expect((await ask(api, `/catchupd${report}?limit=2`, { headers })).body).toMatchObject({ limit: 2 });
    expect((await ask(api, report, { headers })).status).toBe(200);
    expect((await ask(api, '/catchupd/healthz')).status).toBe(200);
    expect((await ask(api, `/catchupdx${report}`)).status).toBe(404);
  });
});

describe('the listener', () => {
  it('names the address that cannot be used', async () => {
    const first = await start();
    await expect(start({ port: first.port })).rejects.toMatchObject({
      code: 'listen_failed',
      detail: `127.0.0.1:${first.port} (EADDRINUSE)`,
    });
  });

  it('refuses headers and bodies that nothing here needs', async () => {
    const api = await start();
    const long = await rawAnswer(
      api,
      `GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: ${'a'.repeat(20_000)}\r\n\r\n`,
    );
    expect(long).toContain('413');
    expect(long).toContain('request_too_large');
    expect(await rawAnswer(api, 'nonsense\r\n\r\n')).toContain('request_invalid');
  });

  it('closes at once, whoever is still connected', async () => {
    const api = await start();
    const ended = new Promise<void>((resolve) => {
      const socket = connect(api.port, '127.0.0.1', () => {
        void api.close();
      });
      socket.on('close', () => resolve());
      socket.on('error', () => resolve());
      socket.resume();
    });
    await ended;
  });
});

describe('A huge answer', () => {
  it('is sent a little at a time, and the loop goes on between', async () => {
    const half = new Uint8Array(8 * 2 ** 20).fill(0x20);
    const api = await start({
      doors: doorsThat({ plan: () => new JsonBytes([Buffer.from('{'), half, half, Buffer.from('}')]) }),
    });
    let turns = 0;
    let sending = true;
    const count = () => {
      turns += 1;
      if (sending) setImmediate(count);
    };
    setImmediate(count);
    const { body } = await ask(api, '/api/plan');
    sending = false;
    expect(body).toEqual({});
    expect(turns).toBeGreaterThan(100);
  });
});
