/** What a page does with whatever it may meet: gaps, conflicts, lanes of one's own, proxies, tokens, nobody there. */
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { startApi, type Api, type ApiOptions } from '../../src/api/server.js';
import { nodeDisk } from '../../src/io/nodeDisk.js';
import { createMediaIndexes } from '../../src/runtime/mediaIndexes.js';
import { START, STOP } from '../domain/aRecording.js';
import { fragmentedClip } from '../media/clip.js';
import { faultsOf, WEB } from './browser.js';
import { openBrowser } from './chromium.js';
import { FINISHED, GAP, someDoors } from './someDoors.js';

const PAGES = ['now', 'guide', 'library', 'storage', 'upstreams', 'machines'];
const PHONE = { width: 360, height: 740 };

let browser: Browser;
const ends: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  browser = await openBrowser();
});
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});
afterAll(() => browser?.close());

async function serve(more: Partial<ApiOptions> = {}): Promise<Api> {
  const api = await startApi({
    host: '127.0.0.1',
    port: 0,
    access: { token: null, noAuth: false },
    publicUrl: null,
    webFolder: WEB,
    doors: someDoors(true).doors,
    ...more,
  });
  ends.push(() => api.close());
  return api;
}

/** Fails the test where the page throws. */
async function open(url: string, how: Parameters<Browser['newContext']>[0] = {}): Promise<Page> {
  const context = await browser.newContext(how);
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  ends.push(async () => {
    await context.close();
    expect(problems).toEqual([]);
  });
  await page.goto(url);
  return page;
}

it('plays a finished recording, and shows where it has holes', async () => {
  const api = await serve();
  const page = await open(`${api.address}/#/recording/${FINISHED.id}`);
  await page.getByRole('button', { name: 'Play', exact: true }).click();
  await page.waitForFunction(() => {
    const video = document.querySelector('video');
    return video !== null && video.currentTime > 0.5 && video.videoWidth > 0;
  });
  const holes = await page
    .locator('.coverage .hole')
    .evaluateAll((all) => all.map((each) => (each as HTMLElement).style.cssText));
  const share = (at: number) => ((at - START) / (STOP - START)) * 100;
  expect(holes).toEqual([`left: ${share(GAP.fromAt)}%; width: ${share(GAP.toAt) - share(GAP.fromAt)}%;`]);
  expect(await page.locator('.coverage').getAttribute('aria-label')).toBe(
    '75 % of the programme is there, 1 gap',
  );
});

it('plays fragmented MP4, whether it is finished or grows while somebody watches', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'catchupd-browser-'));
  ends.push(async () => Promise.resolve(rmSync(folder, { recursive: true, force: true })));
  const path = join(folder, 'film.mp4');
  const { init, fragments } = await fragmentedClip({ seconds: 32 });
  const indexes = createMediaIndexes(nodeDisk, folder);
  const recording = { id: FINISHED.id, files: null, spool: path, stretches: [] };
  let growing = true;
  const { doors } = someDoors(true);
  const api = await serve({
    doors: {
      ...doors,
      recording: () => ({ ...doors.recording(FINISHED.id)!, ...(growing && { machine_state: 'spooling' }) }),
      media: () => ({ path, growing }),
      mediaIndex: () => indexes.of(recording),
    },
  });
  writeFileSync(path, Buffer.concat([init, ...fragments.slice(0, 2)]));
  const early = await open(`${api.address}/#/recording/${FINISHED.id}`);
  await early.getByRole('button', { name: 'Play from the start', exact: true }).click();
  await early.waitForFunction(() => (document.querySelector('video')?.readyState ?? 0) >= 2);
  for (const fragment of fragments.slice(2)) appendFileSync(path, fragment);
  await early.waitForFunction(() => (document.querySelector('video')?.currentTime ?? 0) > 2);
  growing = false;
  await early.waitForFunction(() => Number.isFinite(document.querySelector('video')?.duration));

  const late = await open(`${api.address}/#/recording/${FINISHED.id}`);
  await late.getByRole('button', { name: 'Play', exact: true }).click();
  await late.waitForFunction(() => {
    const video = document.querySelector('video');
    return video !== null && video.currentTime > 1 && video.videoWidth > 0;
  });
});

it('tells the recorder what a person says: keep it, delete it, want it', async () => {
  const { doors, told, lanesAsked } = someDoors(true);
  const api = await serve({ doors });
  const page = await open(`${api.address}/#/library`);
  await page.getByRole('button', { name: /^Keep/ }).click();
  await page.getByRole('status').getByText('is kept').waitFor();
  await page.getByRole('button', { name: /^Delete/ }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete it' }).click();
  await page.getByRole('status').getByText('is deleted').waitFor();
  await page.locator('select').selectOption('kids');
  await page.waitForSelector('.item');
  expect([...lanesAsked]).toContain('kids');

  await page.goto(`${api.address}/#/guide`);
  await page.locator('.programme').click();
  const dialog = page.getByRole('dialog');
  const text = await dialog.locator('.conflict-ahead').textContent();
  expect(text).toContain('Loses 1 h');
  expect(text).toContain('The Match (Sports One)');
  expect(text).toMatch(/again .* on Films Two/);
  await dialog.getByRole('button', { name: 'Record it' }).click();
  await page.getByRole('status').getByText('will be recorded').waitFor();
  expect(told).toEqual([`keep ${FINISHED.id}`, `delete ${FINISHED.id}`, 'want dna-1:late-film']);
});

it('works below a path, behind a proxy', async () => {
  const { doors, told } = someDoors(true);
  const proxy = createServer((asked, answer) => {
    const path = asked.url ?? '/';
    if (!path.startsWith('/catchupd/')) return void answer.writeHead(404).end();
    const headers = { ...asked.headers, 'x-forwarded-for': '10.0.0.9' };
    const passed = request({ host: '127.0.0.1', port: api.port, path, method: asked.method, headers });
    passed.on('response', (from) => {
      answer.writeHead(from.statusCode ?? 502, from.headers);
      from.pipe(answer);
    });
    passed.on('error', () => answer.destroy());
    asked.pipe(passed);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const public_ = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/catchupd/`;
  const api = await serve({ doors, publicUrl: public_, access: { token: 'right', noAuth: false } });
  ends.push(async () => {
    proxy.closeAllConnections();
    await new Promise((resolve) => proxy.close(resolve));
  });
  const page = await open(public_);
  await page.getByLabel(/Token/).fill('right');
  await page.getByRole('button', { name: 'Open' }).click();
  await page.waitForSelector('h1');
  for (const name of PAGES) {
    await page.goto(`${public_}?token=right#/${name}`);
    await page.locator('main .loading').waitFor({ state: 'detached' });
    expect([name, await page.locator('.notice.bad').count()]).toEqual([name, 0]);
  }
  await page.goto(`${public_}?token=right#/library`);
  await page.getByRole('button', { name: /^Keep/ }).click();
  await page.getByRole('status').getByText('is kept').waitFor();
  expect(told).toEqual([`keep ${FINISHED.id}`]);
  await page.goto(`${public_}?token=right#/recording/${FINISHED.id}`);
  await page.getByRole('button', { name: 'Play', exact: true }).click();
  await page.waitForFunction(() => (document.querySelector('video')?.currentTime ?? 0) > 0.2);
});

it('says when nobody answers any more, and goes on by itself when somebody does', async () => {
  const api = await serve();
  const page = await open(`${api.address}/#/library`);
  await page.waitForSelector('.item');
  await api.close();
  const banner = page.getByRole('alert').getByText('The recorder does not answer.');
  await banner.waitFor();
  expect(await page.locator('.item').count()).toBe(1);
  await serve({ port: api.port });
  await banner.waitFor({ state: 'detached' });
});

it.each(['light', 'dark'] as const)(
  'is whole on the smallest phone with nothing at all to show, and with something, %s',
  async (colorScheme) => {
    for (const filled of [false, true]) {
      const api = await serve({ doors: someDoors(filled).doors });
      const page = await open(api.address, { viewport: PHONE, colorScheme });
      for (const name of [...PAGES, ...(filled ? [`recording/${FINISHED.id}`] : [])]) {
        await page.goto(`${api.address}/#/${name}`);
        await page.locator('main .loading').waitFor({ state: 'detached' });
        const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        expect([name, filled, over, await faultsOf(page)]).toEqual([name, filled, 0, []]);
      }
    }
  },
);

it.each([
  ['en-US', 'America/New_York'],
  ['de-DE', 'Europe/Berlin'],
  ['ar-EG', 'Asia/Kathmandu'],
])('shows times as people in %s, %s, read them', async (locale, timezoneId) => {
  const api = await serve();
  const page = await open(`${api.address}/#/library`, { locale, timezoneId });
  const item = await page.locator('.item p').first().textContent();
  const expected = new Intl.DateTimeFormat(locale, {
    timeZone: timezoneId,
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
  }).format(START);
  const plain = (text: string | null) => (text ?? '').replace(/\s/g, ' ');
  expect(plain(item)).toContain(plain(expected));
});
