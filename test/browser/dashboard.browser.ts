/** Every page of the dashboard while the demo runs: what it shows is what the API says. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { faultsOf, startDemo, type Demo } from './browser.js';
import { openBrowser } from './chromium.js';

interface Item {
  readonly id: string;
  readonly title: string;
  readonly machine_state: string;
  readonly keep: boolean;
  readonly bytes_recorded?: number;
}
interface Items {
  readonly total: number;
  readonly recordings: readonly Item[];
}

/** Set to write docs/screenshots anew. */
const SHOOT = process.env['UPDATE_SCREENSHOTS'] === '1';
const SHOTS = fileURLToPath(new URL('../../docs/screenshots', import.meta.url));

let browser: Browser;
let demo: Demo;
let page: Page;
const asked = new Set<string>();
const problems: string[] = [];

beforeAll(async () => {
  [browser, demo] = await Promise.all([openBrowser(), startDemo()]);
  page = await browser.newPage({ viewport: { width: 1200, height: 750 } });
  page.on('request', (request) => asked.add(request.url()));
  page.on('pageerror', (error) => problems.push(String(error)));
});

afterAll(async () => {
  await browser?.close();
  await demo?.end();
});

async function go(name: string): Promise<void> {
  await page.goto(`${demo.url}/#/${name}`);
  await page.waitForSelector('h1');
}

async function shoot(name: string): Promise<void> {
  if (!SHOOT) return;
  // What was just said is no part of the page.
  await page.waitForSelector('.said p', { state: 'detached' });
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: join(SHOTS, `${name}.png`) });
}

async function until<T>(what: string, look: () => Promise<T | null | undefined | false>): Promise<T> {
  const giveUpAt = performance.now() + (SHOOT ? 300_000 : 90_000);
  for (;;) {
    const seen = await look();
    if (seen !== null && seen !== undefined && seen !== false) return seen;
    if (performance.now() > giveUpAt) throw new Error(`not seen: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const running = () =>
  until('something is recorded', async () => {
    const { recordings } = await demo.ask<Items>('api/recordings?state=running');
    return recordings.find(
      ({ bytes_recorded: bytes = 0, machine_state: state }) => bytes > 0 && state === 'spooling',
    );
  });

describe('the dashboard', () => {
  it('shows what records, with its picture as it moves', async () => {
    const recording = await running();
    await go('now');
    const card = page.locator(`article[data-id="${recording.id}"]`);
    await card.waitFor();
    expect(await card.locator('h2').textContent()).toBe(recording.title);
    expect(await card.locator('.tag').first().textContent()).toBe('recording');
    const video = card.locator('video');
    await video.waitFor();
    const at = () =>
      video.evaluate((element: HTMLVideoElement) => [element.currentTime, element.videoWidth] as const);
    const [before] = await at();
    await until('the picture moves', async () => {
      const [after, width] = await at();
      return after > before && width > 0;
    });
  });

  it('plays a recording under way from its start', async () => {
    const { id } = await running();
    await page.goto(`${demo.url}/#/recording/${id}`);
    await page.getByRole('button', { name: 'Play from the start' }).click();
    await until('it plays', () =>
      page.evaluate(() => {
        const video = document.querySelector('video');
        return video !== null && video.currentTime > 0.5 && video.videoWidth > 0;
      }),
    );
    expect(await page.locator('.log li').count()).toBeGreaterThan(1);
    await shoot('recording');
  });

  it('shows the guide with what was decided, and takes a word on it', async () => {
    await go('guide');
    const { total, channels } = await demo.ask<{
      total: number;
      channels: {
        channel_name: string;
        programmes: { capsule_id: string; title: string; reason: string; action: string }[];
      }[];
    }>('api/guide');
    await page.waitForSelector('.programme');
    expect(await page.locator('.count').textContent()).toBe(`${total} channels`);
    const names = await page.locator('.guide-name strong').allTextContents();
    expect(names).toEqual(channels.map(({ channel_name: name }) => name));
    const planned = page.locator('.programme.planned').last();
    const title = (await planned.locator('.programme-title').textContent()) ?? '';
    await planned.click();
    await page.getByRole('dialog').waitFor();
    await page.getByRole('button', { name: 'Skip it' }).click();
    await page.locator('.said p').waitFor();
    await until('the plan has changed', async () => {
      const { decisions } = await demo.ask<{ decisions: { title: string; action: string }[] }>('api/plan');
      return decisions.some((decision) => decision.title === title && decision.action === 'skip');
    });
  });

  it('lists recordings and keeps one', async () => {
    const { id } = await running();
    await go('library');
    await page.getByRole('button', { name: 'Coming' }).click();
    const { total, recordings } = await demo.ask<Items>('api/recordings?state=active');
    await until('as many as there are', async () =>
      (await page.locator('.count').textContent())?.startsWith(
        `${(await demo.ask<Items>('api/recordings?state=active')).total} `,
      ),
    );
    expect(total).toBeGreaterThan(0);
    const shown = await page.locator('.item-title').allTextContents();
    expect(recordings.map(({ title }) => title)).toEqual(expect.arrayContaining(shown.slice(0, 3)));
    const { title } = recordings.find((each) => each.id === id) ?? recordings[0]!;
    await page.getByRole('searchbox').fill(title);
    const item = page.locator('.item', { hasText: title }).first();
    await item.getByRole('button', { name: /^Keep/ }).click();
    await until('it is kept', async () => {
      const found = (await demo.ask<Items>(`api/recordings?q=${encodeURIComponent(title)}`)).recordings[0];
      return found?.keep;
    });
    await item.locator('button[aria-pressed="true"]').waitFor();
    await page.getByRole('searchbox').fill('');
    await page.waitForSelector('.item');
  });

  it('shows storage, upstreams and machines as they are', async () => {
    await go('storage');
    await page.waitForSelector('.bar');
    const { lanes } = await demo.ask<{ lanes: { lane: string }[] }>('api/storage');
    const shown = await page.locator('section[aria-labelledby="lanes"] h3').allTextContents();
    expect(shown).toEqual(lanes.map(({ lane }) => lane));
    await shoot('storage');

    await go('upstreams');
    await page.waitForSelector('table');
    const { accounts } = await demo.ask<{ accounts: { account: string }[] }>('api/upstreams');
    for (const { account } of accounts)
      await page.getByRole('cell', { name: account, exact: true }).waitFor();
    await shoot('upstreams');

    await page.goto(`${demo.url}/inspect`);
    await page.waitForSelector('.state.lit');
    await until('the chart shows how many are in each state', async () => {
      const { machines } = await demo.ask<{ machines: { kind: string; state: string }[] }>('api/machines');
      const early = machines.filter(
        ({ kind, state }) => kind === 'recording' && state === 'scheduled.early',
      ).length;
      const drawn = await page.locator('[data-state="scheduled.early"]').getAttribute('data-count');
      return Number(drawn) === early;
    });
    await until('events are logged', async () => (await page.locator('.log li').count()) > 0);
    await shoot('machines');
  });

  it.each(['light', 'dark'] as const)(
    'has no serious fault for those who do not see it, %s',
    async (colorScheme) => {
      await page.emulateMedia({ colorScheme });
      for (const name of ['now', 'guide', 'library', 'storage', 'upstreams', 'machines']) {
        await go(name);
        await until('it is there', async () => (await page.locator('.loading').count()) === 0);
        expect([name, await faultsOf(page)]).toEqual([name, []]);
      }
      await page.emulateMedia({ colorScheme: 'light' });
    },
  );

  it('is used with the keyboard alone', async () => {
    await page.goto('about:blank');
    await go('now');
    // To the content, Now, Guide.
    for (const key of ['Tab', 'Tab', 'Tab', 'Enter']) await page.keyboard.press(key);
    await until('the second page is there', async () => (await page.locator('h1').textContent()) === 'Guide');
  });

  it('fits a phone', async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    for (const name of ['now', 'guide', 'library', 'storage', 'upstreams', 'machines']) {
      await go(name);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect([name, over]).toEqual([name, 0]);
    }
    await page.setViewportSize({ width: 1200, height: 750 });
  });

  it.runIf(SHOOT)(
    'is pictured when there is something to see',
    async () => {
      await until('three record', async () => {
        const { recordings } = await demo.ask<Items>('api/recordings?state=running');
        return recordings.filter(({ bytes_recorded: bytes = 0 }) => bytes > 200_000).length >= 3;
      });
      await go('now');
      await until('three pictures', async () => (await page.locator('article video').count()) >= 3);
      await page.waitForFunction(() =>
        [...document.querySelectorAll('video')].every(({ currentTime }) => currentTime > 1),
      );
      await shoot('now');
      await page.setViewportSize({ width: 390, height: 800 });
      await page.waitForSelector('article video');
      await shoot('phone');
      await page.setViewportSize({ width: 1200, height: 750 });
      await until('three are finished', async () => {
        const { total } = await demo.ask<Items>('api/recordings?state=completed');
        return total >= 3;
      });
      await go('library');
      await page.waitForSelector('.item');
      await shoot('library');
      await go('guide');
      await page.waitForSelector('.programme.good');
      await shoot('guide');
    },
    400_000,
  );

  it('has asked nobody but the recorder, and nothing has failed in it', () => {
    const elsewhere = [...asked].filter(
      (url) => !url.startsWith(`${demo.url}/`) && !/^(?:data|blob):/.test(url),
    );
    expect(elsewhere).toEqual([]);
    expect(asked.size).toBeGreaterThan(20);
    expect(problems).toEqual([]);
  });
});
