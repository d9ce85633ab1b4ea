import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { WebhookConfig } from '../../src/config/config.js';
import { recordingNotice, noticeBody, eventFor, diskNotice } from '../../src/domain/notice.js';
import { queued, type OwedRow } from '../../src/domain/outbox.js';
import { reportItem } from '../../src/domain/reportItem.js';
import type { ExchangeRequest } from '../../src/io/exchange.js';
import { TransportFault } from '../../src/io/transport.js';
import { webhookReceiver } from '../../src/publish/webhook.js';
import { aRecording } from '../domain/aRecording.js';

const HOOK: WebhookConfig = {
  name: 'webhook-1',
  url: 'https://hooks.example/s3cret-path',
  form: 'json',
  secret: null,
  token: null,
  events: [],
};

function rowOf(title = 'Man Utd vs City'): OwedRow {
  const recording = aRecording({});
  const item = reportItem({
    recording: { ...recording, failReason: 'missed', capsule: { ...recording.capsule, title } },
    state: 'failed',
    updatedAt: 1,
  });
  const notice = recordingNotice(item);
  if (!notice) throw new Error('no news');
  return queued(
    { kind: 'notice', event: 'failed', facts: noticeBody(notice, 'failed', 0) },
    'webhook-1',
    0,
    7,
    new Map(),
  );
}

async function sent(changes: Partial<WebhookConfig>, row = rowOf()): Promise<ExchangeRequest> {
  const asked: ExchangeRequest[] = [];
  const ask = (request: ExchangeRequest) => {
    asked.push(request);
    return Promise.resolve({ status: 204, headers: {}, body: Buffer.alloc(0) });
  };
  const receiver = webhookReceiver({ ...HOOK, ...changes }, { ask }, 'home');
  expect(await receiver.deliver(row, new AbortController().signal)).toEqual({ kind: 'done', next: [] });
  expect(JSON.stringify([receiver.shown, receiver.name])).not.toContain('s3cret');
  const [request] = asked;
  if (!request) throw new Error('nothing was sent');
  return request;
}

async function answered(status: number, headers: Record<string, string> = {}) {
  const ask = () => Promise.resolve({ status, headers, body: Buffer.alloc(0) });
  return webhookReceiver(HOOK, { ask }, 'home').deliver(rowOf(), new AbortController().signal);
}

describe('a webhook', () => {
  it('gets the fields of the report, signed, with a number that tells a second delivery from a second event', async () => {
    const { url, headers, body = '' } = await sent({ secret: 'shared' });
    expect(url).toBe(HOOK.url);
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'x-catchupd-event': 'failed',
      'x-catchupd-delivery': 'home-7',
      'x-catchupd-signature': `sha256=${createHmac('sha256', 'shared').update(body).digest('hex')}`,
    });
    expect(JSON.parse(body)).toMatchObject({
      id: 'home-7',
      event: 'failed',
      at: '1970-01-01T00:00:00Z',
      title: 'Missed: Man Utd vs City',
      recording: { title: 'Man Utd vs City', machine_state: 'failed', outcome: 'missed' },
    });
    expect((await sent({})).headers).not.toHaveProperty('x-catchupd-signature');
  });

  it('of ntfy gets words, and a title of any alphabet in a header', async () => {
    const { headers, body } = await sent({ form: 'ntfy', token: 'tk' }, rowOf('Спорт ⚽'));
    expect(headers).toMatchObject({ priority: '4', authorization: 'Bearer tk' });
    const title = /^=\?UTF-8\?B\?(.*)\?=$/.exec(headers?.['title'] ?? '')?.[1] ?? '';
    expect(Buffer.from(title, 'base64').toString()).toBe('Missed: Спорт ⚽');
    expect(body).toContain('BBC One');
  });

  it('of Discord calls nobody, and is not too long', async () => {
    const { body = '' } = await sent({ form: 'discord' }, rowOf(`@everyone ${'x'.repeat(3_000)}`));
    const { content, allowed_mentions: mentions } = JSON.parse(body) as {
      content: string;
      allowed_mentions: object;
    };
    expect(content.length).toBeLessThan(2_000);
    expect(mentions).toEqual({ parse: [] });
  });

  it('of Gotify has its message and its key', async () => {
    const {
      url,
      headers,
      body = '',
    } = await sent({ form: 'gotify', token: 'key', url: 'http://nas/gotify' });
    expect(url).toBe('http://nas/gotify/message');
    expect(headers).toMatchObject({ 'x-gotify-key': 'key' });
    expect(JSON.parse(body)).toMatchObject({ title: 'Missed: Man Utd vs City', priority: 7 });
  });

  it.each([
    [200, { kind: 'done' }],
    [401, { kind: 'refused' }],
    [403, { kind: 'refused' }],
    [400, { kind: 'dropped' }],
    [404, { kind: 'failed' }],
    [302, { kind: 'failed', code: 'server_redirects' }],
    [500, { kind: 'failed', code: 'server_failing' }],
  ])('that answers %i is %o', async (status, delivery) => {
    expect(await answered(status)).toMatchObject(delivery);
  });

  it('that asks for patience gets it, up to an hour', async () => {
    expect(await answered(429, { 'retry-after': '30' })).toMatchObject({
      kind: 'failed',
      retryAfterMs: 30_000,
    });
    expect(await answered(503, { 'retry-after': '999999' })).toMatchObject({ retryAfterMs: 3_600_000 });
  });

  it('that cannot be reached is tried again, and its address stays secret', async () => {
    const ask = () => Promise.reject(new TransportFault('connect', 'ECONNREFUSED'));
    const delivery = await webhookReceiver(HOOK, { ask }, 'home').deliver(
      rowOf(),
      new AbortController().signal,
    );
    expect(delivery).toEqual({
      kind: 'failed',
      code: 'server_unreachable',
      detail: 'ECONNREFUSED',
      retryAfterMs: null,
    });
  });
});

describe('news', () => {
  const published = (outcome: 'partial' | 'complete') => {
    const result = { outcome, reason: '', coverage: 0.9, gaps: [], bytes: 1, finishedAt: 1 } as const;
    return recordingNotice(
      reportItem({ recording: aRecording({ result }), state: 'published', updatedAt: 1 }),
    );
  };

  it('is told once to whoever wants any of its words, under the one that says most', () => {
    const partial = published('partial');
    const whole = published('complete');
    if (!partial || !whole) throw new Error('no news');
    expect(eventFor(partial, [])).toBe('partial');
    expect(eventFor(partial, ['published'])).toBe('published');
    expect(eventFor(partial, ['failed'])).toBeNull();
    expect(eventFor(whole, ['partial'])).toBeNull();
    expect(eventFor(whole, ['published', 'partial'])).toBe('published');
  });

  it('is nothing that goes on, and nothing that a person did', () => {
    for (const state of ['spooling', 'scheduled', 'cancelled', 'expired'] as const)
      expect(recordingNotice(reportItem({ recording: aRecording({}), state, updatedAt: 1 }))).toBeNull();
  });

  it('says why nothing starts, and that it does again', () => {
    expect(diskNotice('disk_floor')).toMatchObject({ facts: { code: 'disk_floor', resolved: false } });
    expect(diskNotice(null)).toMatchObject({ facts: { resolved: true } });
  });
});
