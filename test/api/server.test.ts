/** The HTTP door as clients see it: real requests to a listener on loopback. */
import { request } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type Api, type ApiOptions, startApi } from '../../src/api/server.js';
import { CodedError } from '../../src/domain/errors.js';

/** What no test here is about. */
const upstreams = () => ({ accounts: [] });

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
    doors: {
      health: () => ({ ok: true, degraded: false }),
      ready: () => false,
      report: (limit) => ({ limit, active: [] }),
      upstreams,
    },
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
    let state = { ok: true, degraded: true };
    let ready = false;
    const doors = { health: () => state, ready: () => ready, report: () => ({}), upstreams };
    const api = await start({ doors });
    expect(await ask(api, '/healthz')).toMatchObject({ status: 200, body: { ok: true, degraded: true } });
    expect(await ask(api, '/readyz')).toMatchObject({ status: 503, body: { ready: false } });
    state = { ok: false, degraded: false };
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

  it('answer a failure with its code and status, and show nothing of a bug', async () => {
    const broken = (error: Error) => ({
      health: () => ({ ok: true, degraded: false }),
      ready: () => true,
      report: () => Promise.reject(error),
      upstreams,
    });
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
