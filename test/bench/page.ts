/**
 * The dashboard over a huge state, in a real browser, by the page's own performance entries: when something is painted,
 * when rows are there, and the longest task while somebody scrolls through the whole list.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { openBrowser } from '../browser/chromium.js';
import { numberOption, rounded, type Bench } from './bench.js';
import { prepareState } from './bigState.js';
import { launch } from './daemonProcess.js';

const PAINT_MS_MAX = 1_000;
const TASK_MS_MAX = 100;
/** The plan of so many channels takes a while; the page is opened when the daemon is at rest. */
const SETTLE_MS = 15_000;
const PAGES = [
  { name: 'now', row: '.card, .lines li', scrolled: 'main' },
  { name: 'guide', row: '.programme', scrolled: '.rows' },
  { name: 'library', row: '.item-title', scrolled: '.rows' },
  { name: 'machines', row: '.lines li', scrolled: 'main' },
] as const;

/** As text: these run in the page. */
const WATCH = `
  window.longTasks = [];
  new PerformanceObserver((list) => window.longTasks.push(...list.getEntries()))
    .observe({ type: 'longtask', buffered: true });
`;
const PAINTED = `performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null`;
/** A hundred steps over the whole length, a frame each, then back by a page at a time. */
const SCROLL = (selector: string) => `(async () => {
  const box = document.querySelector('${selector}');
  const frame = () => new Promise(requestAnimationFrame);
  const from = performance.now();
  const end = box.scrollHeight - box.clientHeight;
  for (let step = 1; step <= 100; step += 1) { box.scrollTop = (end * step) / 100; await frame(); }
  for (let step = 0; step < 100; step += 1) { box.scrollTop -= box.clientHeight; await frame(); }
  await new Promise((resolve) => setTimeout(resolve, 500));
  const tasks = window.longTasks.filter(({ startTime }) => startTime >= from);
  return { longest: Math.max(0, ...tasks.map(({ duration }) => duration)), nodes: document.querySelectorAll('*').length };
})()`;

interface Seen {
  readonly page: string;
  readonly paintMs: number;
  readonly rowsMs: number;
  readonly longestTaskMs: number;
  readonly nodes: number;
}

async function look(browser: Browser, url: string, at: (typeof PAGES)[number]): Promise<Seen> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  try {
    const page = await context.newPage();
    await page.addInitScript(WATCH);
    await page.goto(`${url}/#/${at.name}`);
    await page.waitForSelector(at.row);
    const rowsMs = await page.evaluate<number>('performance.now()');
    const paintMs = (await page.evaluate<number | null>(PAINTED)) ?? Infinity;
    const { longest, nodes } = await page.evaluate<{ longest: number; nodes: number }>(SCROLL(at.scrolled));
    return { page: at.name, paintMs, rowsMs, longestTaskMs: longest, nodes };
  } finally {
    await context.close();
  }
}

export const pageBench: Bench = {
  name: 'page',
  what: 'the dashboard over a huge state, in chromium (Linux)',
  options: {
    recordings: 'how many are stored (10000)',
    channels: 'how many the guide has (5000); one group of forty is wanted',
  },
  async run(options) {
    const recordings = numberOption(options, 'recordings', 10_000);
    const channels = numberOption(options, 'channels', 5_000);
    const folder = mkdtempSync(join(tmpdir(), 'catchupd-bench-'));
    const browser = await openBrowser();
    try {
      const words = await prepareState(folder, { recordings, channels });
      const daemon = await launch([...words, '--groups', 'G1', '--max-concurrency', '8']);
      try {
        await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
        const seen: Seen[] = [];
        for (const page of PAGES) seen.push(await look(browser, daemon.url, page));
        return {
          budgets: seen.flatMap(({ page, paintMs, longestTaskMs }) => [
            { what: `${page}: ms to the first paint`, value: paintMs, max: PAINT_MS_MAX },
            {
              what: `${page}: ms of the longest task while scrolling`,
              value: longestTaskMs,
              max: TASK_MS_MAX,
            },
          ]),
          measured: {
            recordings,
            channels,
            pages: seen.map(({ page, rowsMs, nodes }) => ({ page, rowsMs: rounded(rowsMs, 0), nodes })),
          },
        };
      } finally {
        await daemon.end();
      }
    } finally {
      await browser.close();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
