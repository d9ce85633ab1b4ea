import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createInlineParse } from '../../src/guide/inlineParse.js';
import { createWorkerParse } from '../../src/guide/workerParse.js';
import { nodeDisk } from '../../src/io/nodeDisk.js';
import type { Parse } from '../../src/io/parse.js';
import { compiled } from '../compiled.js';

const HOUR = 3_600_000;
const fromAt = Date.UTC(2026, 10, 23);
let folder = '';
let script: URL;
const open: Parse[] = [];

function guideOf(programmes: number): string {
  const stamp = (at: number) => new Date(at).toISOString().slice(0, 19).replace(/\D/g, '');
  const rows = Array.from({ length: programmes }, (_, i) => {
    const startAt = fromAt + (i % 20) * HOUR;
    return `<programme start="${stamp(startAt)}" stop="${stamp(startAt + HOUR)}" channel="c${Math.floor(i / 20)}"><title>P${i}</title></programme>`;
  });
  return `<tv>${rows.join('\n')}</tv>`;
}

function place(
  name: string,
  content: string,
): { path: string; fromAt: number; toAt: number; timezone: string } {
  const path = join(folder, name);
  writeFileSync(path, content);
  return { path, fromAt, toAt: fromAt + 24 * HOUR, timezone: 'UTC' };
}

function worker(at: URL = script): Parse {
  const parse = createWorkerParse(at);
  open.push(parse);
  return parse;
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'catchupd-parse-'));
  const parts = ['src/guide', 'src/domain', 'src/io'];
  script = compiled(join(folder, 'built'), parts, 'src/guide/parseWorker.js');
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((parse) => parse.close()));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the parse door', () => {
  it('gives the same guide inline and from a thread', async () => {
    const job = place('guide.xml', guideOf(3_000));
    const inline = await createInlineParse(nodeDisk).guide(job);
    expect(inline.programmes).toHaveLength(3_000);
    expect(await worker().guide(job)).toEqual(inline);
  });

  it('names the file that cannot be read', async () => {
    const job = { ...place('x.xml', ''), path: join(folder, 'missing.xml') };
    const expected = { code: 'guide_unreadable', detail: `${job.path}: ENOENT` };
    await expect(createInlineParse(nodeDisk).guide(job)).rejects.toMatchObject(expected);
    await expect(worker().guide(job)).rejects.toMatchObject(expected);
  });

  it('passes the codes of the parser on, and goes on working', async () => {
    const page = place('page.xml', '<html><body>login</body></html>');
    const guide = place('guide.xml', guideOf(2));
    const parse = worker();
    await expect(parse.guide(page)).rejects.toMatchObject({ code: 'guide_not_xmltv' });
    expect((await parse.guide(guide)).programmes).toHaveLength(2);
  });

  it('serves jobs that come at once one after the other', async () => {
    const jobs = [1, 700, 3, 1_200].map((programmes, i) => place(`g${i}.xml`, guideOf(programmes)));
    const parse = worker();
    const guides = await Promise.all(jobs.map((job) => parse.guide(job)));
    expect(guides.map(({ programmes }) => programmes.length)).toEqual([1, 700, 3, 1_200]);
  });

  it('survives a thread that dies and starts another', async () => {
    const dying = join(folder, 'built/src/guide/dying.js');
    const mark = join(folder, 'died');
    writeFileSync(
      dying,
      `import { existsSync, writeFileSync } from 'node:fs';
       import { parentPort } from 'node:worker_threads';
       if (existsSync(${JSON.stringify(mark)})) await import('./parseWorker.js');
       else parentPort.on('message', () => { writeFileSync(${JSON.stringify(mark)}, ''); throw new Error('boom'); });`,
    );
    const job = place('guide.xml', guideOf(5));
    const parse = worker(pathToFileURL(dying));
    const [first, second] = await Promise.allSettled([parse.guide(job), parse.guide(job)]);
    expect(first).toMatchObject({ status: 'rejected', reason: { code: 'guide_unreadable' } });
    expect(second).toMatchObject({ status: 'fulfilled', value: { counts: { programmes: 5 } } });
  });

  it('ends what runs when it is closed, and takes nothing more', async () => {
    const job = place('guide.xml', guideOf(20_000));
    const parse = worker();
    await parse.guide(place('small.xml', guideOf(1)));
    const running = parse.guide(job);
    // One turn, after which the thread has its job.
    await Promise.resolve();
    const [outcome] = await Promise.allSettled([running, parse.close()]);
    expect(outcome).toMatchObject({ reason: { detail: `${job.path}: the parser ended` } });
    await expect(parse.guide(job)).rejects.toMatchObject({ detail: `${job.path}: stopping` });
  });
});
