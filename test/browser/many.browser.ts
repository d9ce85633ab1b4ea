/** 5,000 channels and 10,000 recordings: the page holds what can be seen, not what there is. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApi, type Api } from '../../src/api/server.js';
import { doorsThat } from '../api/aDoor.js';
import { WEB } from './browser.js';
import { openBrowser } from './chromium.js';

const CHANNELS = 5_000;
const RECORDINGS = 10_000;
const NODES_MAX = 2_500;
const ROWS_MAX = 100;
const HALF_HOUR_MS = 1_800_000;

let browser: Browser;
let api: Api;
let page: Page;
/** How many rows were asked for at a time. */
const limits: number[] = [];

function slice(total: number, offset: number, limit: number): number[] {
  return Array.from(
    { length: Math.max(0, Math.min(limit || total, total - offset)) },
    (_, index) => offset + index,
  );
}

beforeAll(async () => {
  const now = Date.now();
  const time = (at: number) => new Date(Math.floor(at / 1000) * 1000).toISOString();
  api = await startApi({
    host: '127.0.0.1',
    port: 0,
    access: { token: null, noAuth: false },
    publicUrl: null,
    webFolder: WEB,
    doors: doorsThat({
      guide: ({ offset, limit, fromAt }) => ({
        total: limits.push(limit) && CHANNELS,
        channels: slice(CHANNELS, offset, limit).map((number) => ({
          channel_id: String(number),
          channel_name: `Channel ${number}`,
          guide_number: String(number),
          group: '',
          programmes: Array.from({ length: 12 }, (_, index) => ({
            capsule_id: `${number}-${index}`,
            title: `Show ${index}`,
            lane: 'general',
            start: time(fromAt + index * HALF_HOUR_MS),
            stop: time(fromAt + (index + 1) * HALF_HOUR_MS),
            action: 'record',
            reason: 'scheduled',
          })),
        })),
      }),
      recordings: ({ offset, limit }) => ({
        total: limits.push(limit) && RECORDINGS,
        recordings: slice(RECORDINGS, offset, limit).map((number) => ({
          id: number.toString(16).padStart(8, '0'),
          title: `Recording ${number}`,
          channel_name: 'One',
          lane: 'general',
          machine_state: 'published',
          outcome: 'complete',
          coverage: 1,
          start: time(now - number * HALF_HOUR_MS),
          stop: time(now - (number - 1) * HALF_HOUR_MS),
          expires_at: time(now),
          keep: false,
          gaps: [],
          gap_count: 0,
        })),
      }),
    }),
  });
  browser = await openBrowser();
  page = await browser.newPage({ viewport: { width: 1200, height: 750 } });
});

afterAll(async () => {
  await browser?.close();
  await api?.close();
});

it.each([
  ['guide', '.guide-name strong', 'Channel'],
  ['library', '.item-title', 'Recording'],
])('of the %s only what can be seen exists, wherever one scrolls to', async (name, row, word) => {
  await page.goto(`${api.address}/#/${name}`);
  await page.waitForSelector(row);
  for (const share of [0.5, 0.99, 0.2]) {
    await page.locator('.rows').evaluate((element, part) => {
      element.scrollTop = element.scrollHeight * part;
    }, share);
    const total = name === 'guide' ? CHANNELS : RECORDINGS;
    const wanted = Math.floor(total * share);
    await page.waitForFunction(
      ([selector, text, from]) =>
        [...document.querySelectorAll(selector)].some(
          (each) => Math.abs(Number((each.textContent ?? '').replace(`${text} `, '')) - from) < 30,
        ),
      [row, word, wanted] as const,
    );
    expect(await page.evaluate(() => document.querySelectorAll('*').length)).toBeLessThan(NODES_MAX);
  }
});

it('never asks for a whole list', () => {
  expect(limits.length).toBeGreaterThan(4);
  for (const limit of limits) {
    expect(limit).toBeGreaterThan(0);
    expect(limit).toBeLessThanOrEqual(ROWS_MAX);
  }
});
