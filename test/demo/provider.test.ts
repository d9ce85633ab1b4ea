import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { tsHealth } from '../../src/capture/tsHealth.js';
import { demoProgrammes, PROGRAMME_MS } from '../../src/demo/lineup.js';
import { loopPackets, parseClip } from '../../src/demo/loopTs.js';
import { startDemoProvider, type DemoProvider } from '../../src/demo/provider.js';
import { systemClock, type Clock } from '../../src/io/clock.js';
import { readBody, type TransportBody } from '../../src/io/transport.js';
import { undiciTransport } from '../../src/io/undiciTransport.js';
import { decode } from '../media/frames.js';

const CLIPS = join(import.meta.dirname, '../../src/demo/clips');
const transport = undiciTransport(systemClock);
const open: DemoProvider[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((provider) => provider.close()));
});

async function start(clock: Clock = systemClock, faults = false): Promise<DemoProvider> {
  const provider = await startDemoProvider({
    port: 0,
    host: '127.0.0.1',
    clock,
    firstStartInMs: 8_000,
    faults,
  });
  open.push(provider);
  return provider;
}

async function get(url: string) {
  const answer = await transport.open(url, { headersTimeoutMs: 5_000 });
  return { status: answer.status, body: (await readBody(answer.body, 9_000_000)).toString() };
}

/** A clock whose time a test moves; tasks run when it passes them. */
function handClock() {
  let mono = 0;
  const tasks = new Set<{ at: number; task: () => void }>();
  const clock: Clock = {
    now: () => 1_800_000_000_000 + mono,
    mono: () => mono,
    after(delayMs, task) {
      const entry = { at: mono + delayMs, task };
      tasks.add(entry);
      return { cancel: () => tasks.delete(entry) };
    },
  };
  function advance(ms: number): void {
    const until = mono + ms;
    for (;;) {
      const due = [...tasks].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      tasks.delete(due);
      mono = due.at;
      due.task();
    }
    mono = until;
  }
  return { clock, advance };
}

/** Resolves with what came once `bytes` of it are there, or it ended or broke. */
function take(body: TransportBody, bytes: number): Promise<{ media: Buffer; end: string }> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const done = (end: string) => resolve({ media: Buffer.concat(chunks), end });
    body.flow({
      onData(chunk) {
        chunks.push(chunk);
        if (chunks.reduce((sum, { length }) => sum + length, 0) < bytes) return;
        body.destroy();
        done('enough');
      },
      onEnd: () => done('end'),
      onFault: (fault) => done(fault.kind),
    });
  });
}

describe('the demo clips', () => {
  const names = readdirSync(CLIPS);
  it('are four, and small', () => {
    expect(names).toHaveLength(4);
    const total = names.reduce((sum, name) => sum + statSync(join(CLIPS, name)).size, 0);
    expect(total).toBeLessThan(1_500_000);
  });

  it.each(names)('%s loops without an error at its joints', async (name) => {
    const clip = parseClip(readFileSync(join(CLIPS, name)));
    expect(clip.durationTicks).toBe(6.4 * 90_000);
    const bytes = loopPackets(clip, 0, 3 * clip.count);
    const { frames, errors } = await decode(bytes, 'warning');
    expect(errors).toEqual([]);
    expect(frames).toHaveLength(3 * 160);
    const health = tsHealth();
    health.count(bytes, 0, bytes.length);
    expect(health.counts()).toMatchObject({ continuityErrors: 0, clockJumps: 0, transportErrors: 0 });
  });
});

describe('the demo guide', () => {
  const now = Date.UTC(2026, 10, 23, 12, 0, 1);
  const programmes = demoProgrammes(now, now + 8_999);
  const of = (channel: number) => programmes.filter((show) => show.channel === channel);

  it('covers an hour back and a day ahead on each channel, without a hole', () => {
    for (const channel of [1, 2, 3, 4]) {
      const shows = of(channel);
      expect(shows[0]?.startAt).toBeLessThanOrEqual(now - 3_600_000);
      expect(shows.at(-1)?.stopAt).toBeGreaterThanOrEqual(now + 24 * 3_600_000);
      expect(shows.every((show, i) => i === 0 || show.startAt === shows[i - 1]?.stopAt)).toBe(true);
      expect(shows.every((show) => show.stopAt - show.startAt === PROGRAMME_MS)).toBe(true);
    }
  });

  it('begins a programme on channel 1 when it was told to, and keeps the others to fixed times', () => {
    expect(of(1).some((show) => show.startAt === now + 8_999)).toBe(true);
    expect([2, 3, 4].map((channel) => (of(channel)[0]?.startAt ?? 0) % PROGRAMME_MS)).toEqual([
      0, 40_000, 80_000,
    ]);
  });

  it('has no title twice on a channel, and something for every lane', () => {
    expect(new Set(programmes.map((show) => `${show.channel} ${show.title}`)).size).toBe(programmes.length);
    const categories = new Set(programmes.flatMap((show) => show.categories));
    expect(categories.has('Sports')).toBe(true);
    expect(categories.has('Movie')).toBe(true);
    expect(programmes.every((show) => show.desc !== '')).toBe(true);
  });
});

describe('the demo provider', () => {
  it('serves a list and a guide that belong together', async () => {
    const provider = await start();
    const list = await get(provider.m3uUrl);
    expect(list.body).toContain(`x-tvg-url="${provider.xmltvUrl}"`);
    expect(list.body.match(/#EXTINF/g)).toHaveLength(4);
    const guide = await get(provider.xmltvUrl);
    for (const id of ['demo.1', 'demo.2', 'demo.3', 'demo.4']) {
      expect(list.body).toContain(`tvg-id="${id}"`);
      expect(guide.body).toContain(`channel="${id}"`);
    }
    expect((await get(`${provider.url}/else`)).status).toBe(404);
  });

  it('gives a decodable stream from its first packet on', async () => {
    const { clock, advance } = handClock();
    const provider = await start(clock);
    advance(3_000);
    const { body } = await transport.open(`${provider.url}/stream/1.ts`, { headersTimeoutMs: 5_000 });
    const media = take(body, 250_000);
    for (let i = 0; i < 100; i++) advance(100);
    const { frames, errors } = await decode((await media).media);
    // The last frame is cut off by this test, not by the provider.
    expect(errors.length).toBeLessThanOrEqual(3);
    expect(frames.length).toBeGreaterThan(150);
  });

  it('drops the viewers of channel 4 at every 45th second when faults are asked for, and nobody else', async () => {
    const { clock, advance } = handClock();
    const provider = await start(clock, true);
    const four = await transport.open(`${provider.url}/stream/4.ts`, { headersTimeoutMs: 5_000 });
    const one = await transport.open(`${provider.url}/stream/1.ts`, { headersTimeoutMs: 5_000 });
    const dropped = take(four.body, Number.MAX_SAFE_INTEGER);
    const kept = take(one.body, 1_200_000);
    advance(44_000);
    advance(2_000);
    expect((await dropped).end).toBe('reset');
    expect((await kept).end).toBe('enough');
    const again = await transport.open(`${provider.url}/stream/4.ts`, { headersTimeoutMs: 5_000 });
    expect((await take(again.body, 3 * 188)).end).toBe('enough');
  });
});
