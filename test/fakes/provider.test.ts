import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/io/clock.js';
import { readBody } from '../../src/io/transport.js';
import { undiciTransport } from '../../src/io/undiciTransport.js';
import { loopClip } from '../media/clip.js';
import { startFakeProvider, type FakeProvider } from './provider.js';

const transport = undiciTransport(systemClock);
let provider: FakeProvider;
beforeAll(async () => {
  const clip = await loopClip();
  provider = await startFakeProvider({
    channels: [
      { id: 'one', name: 'One & Only', clip, tvgId: 'one.tv', number: '7', behaviour: { status: 404 } },
    ],
    programmes: [
      {
        channel: 'one.tv',
        title: 'Fish < Chips',
        startAt: Date.UTC(2026, 10, 23, 19, 30),
        stopAt: Date.UTC(2026, 10, 23, 20),
        categories: ['Food'],
      },
    ],
  });
});
afterAll(() => provider.close());

async function get(url: string) {
  const answer = await transport.open(url, { headersTimeoutMs: 5_000, headers: { 'user-agent': 'tv' } });
  return { status: answer.status, body: (await readBody(answer.body, 1_000_000)).toString() };
}

describe('the provider fake', () => {
  it('lists its channels as M3U and as a catalog', async () => {
    const list = await get(provider.m3uUrl);
    expect(list.body).toContain(`x-tvg-url="${provider.xmltvUrl}"`);
    expect(list.body).toContain('tvg-id="one.tv" tvg-chno="7"');
    const catalog: unknown = JSON.parse((await get(provider.catalogUrl)).body);
    expect(catalog).toMatchObject({
      live_channels: [{ channel_id: 'one', tvg_id: 'one.tv', stream_url: provider.streamUrl('one') }],
    });
  });

  it('has a guide of the programmes it was given, and of others later', async () => {
    const { body } = await get(provider.xmltvUrl);
    expect(body).toContain('start="20261123193000 +0000" stop="20261123200000 +0000" channel="one.tv"');
    expect(body).toContain('<title>Fish &lt; Chips</title><category>Food</category>');
    provider.setProgrammes([]);
    expect((await get(provider.xmltvUrl)).body).not.toContain('<programme');
  });

  it('behaves as it is told and remembers who asked', async () => {
    expect((await get(provider.streamUrl('one'))).status).toBe(404);
    expect(provider.requests.at(-1)).toEqual({
      path: '/live/one.ts',
      userAgent: 'tv',
      range: '',
      status: 404,
    });
    provider.behave('one', { endAfterBytes: 188 * 10, burstS: 5 });
    expect((await get(provider.streamUrl('one'))).body.length).toBeGreaterThan(0);
    expect(provider.sentBytes('one')).toBe(188 * 10);
    expect(provider.openStreamsMax()).toBe(1);
  });
});
