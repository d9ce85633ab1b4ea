/** From the guide to the library, with a provider in another process. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { breaksOf, decode } from '../media/frames.js';
import {
  channel,
  CLIP_FRAMES,
  filesUnder,
  json,
  modeOf,
  nothingYet,
  openScene,
  programme,
  soon,
  titles,
  until,
  type ReportItem,
} from './scene.js';

const SPORT = { categories: ['Sport'] };

async function expectWhole(path: string, secondsMin: number): Promise<void> {
  const { frames, errors } = await decode(path);
  expect(errors).toEqual([]);
  expect(breaksOf(frames, CLIP_FRAMES)).toEqual([]);
  expect(frames.length).toBeGreaterThan(secondsMin * 25);
}

const outcomeOf = (item: ReportItem) => ('outcome' in item ? item.outcome : '');
const pathOf = (item: ReportItem | undefined) => item?.output_path ?? '';

describe.concurrent('a daemon beside a provider', () => {
  it('joins what is on, starts what comes, leaves other lanes alone and does nothing twice', async ({
    onTestFinished,
  }) => {
    const scene = openScene(onTestFinished);
    const provider = await scene.provider({
      channels: ['arena', 'news', 'cinema'].map((id) => channel(id)),
      programmes: nothingYet('news.tv'),
    });
    const words = ['--m3u', provider.m3uUrl, '--xmltv', provider.xmltvUrl, '-lanes', 'sports,general'];
    const daemon = scene.daemon(words);
    await daemon.ready();
    const now = soon();
    await provider.setProgrammes([
      programme('arena.tv', 'City vs United', now - 60_000, 66, SPORT),
      programme('news.tv', 'Evening News', now + 3_000, 5),
      programme('cinema.tv', 'A Film', now - 60_000, 120, { categories: ['Movie'] }),
    ]);
    const report = await daemon.sees('two are published', ({ completed }) => completed.length === 2);
    expect(report.failed).toEqual([]);
    const [news, match] = report.completed;
    expect(match).toMatchObject({
      title: 'City vs United',
      lane: 'sports',
      machine_state: 'published',
      outcome: 'partial',
      outcome_reason: 'joined_in_progress',
    });
    expect(news).toMatchObject({ title: 'Evening News', lane: 'general', outcome: 'complete' });
    await until('the manifest lists both', () => {
      const path = join(scene.publishDir, 'recorded-publish-manifest.json');
      return existsSync(path) && (json(path)['items'] as unknown[]).length === 2;
    });
    expect(await daemon.stop()).toMatchObject({ code: 0 });

    expect(filesUnder(scene.publishDir)).toHaveLength(8);
    for (const item of report.completed) {
      const media = pathOf(item);
      const stem = media.replace(/\.ts$/, '');
      expect(media.startsWith(join(scene.publishDir, item.lane))).toBe(true);
      expect(basename(dirname(media))).toBe(basename(stem));
      await expectWhole(media, 4);
      expect(readFileSync(`${stem}.nfo`, 'utf8')).toContain(`<title>${item.title}</title>`);
      expect(json(`${stem}.catchupd.json`)).toMatchObject({
        version: 1,
        recording_id: item.id,
        outcome: outcomeOf(item),
        capsule: { title: item.title, lane: item.lane },
        window: { start: item.start.replace('Z', '.000Z'), pre_padding_s: 1, post_padding_s: 1 },
        ts: { continuity_errors: 0, transport_errors: 0 },
      });
      for (const path of [media, `${stem}.nfo`, `${stem}.catchupd.json`]) expect(modeOf(path)).toBe(0o644);
      for (const path of [dirname(media), dirname(dirname(media))]) expect(modeOf(path)).toBe(0o755);
    }
    const manifest = json(join(scene.publishDir, 'recorded-publish-manifest.json'));
    expect(manifest['root_dir']).toBe(scene.publishDir);
    const listed = (manifest['items'] as { media_path: string }[]).map(({ media_path }) => media_path);
    expect(listed.toSorted()).toEqual(report.completed.map(pathOf).toSorted());
    expect(filesUnder(scene.outDir).filter((path) => /\.(?:ts|nfo)$/.test(path))).toEqual([]);
    expect(await provider.asked('cinema')).toBe(0);

    const before = filesUnder(scene.publishDir);
    const { requests } = await provider.facts();
    const guideReads = requests.filter(({ path }) => path === '/guide.xml').length;
    const streams = requests.filter(({ path }) => path.startsWith('/live/')).length;
    // Once more while the programmes still are in the guide: they are known.
    await provider.setProgrammes([
      programme('arena.tv', 'City vs United', now - 60_000, 600, SPORT),
      programme('news.tv', 'Evening News', now + 3_000, 600),
    ]);
    const again = scene.daemon(words);
    await until('the guide is read again', async () => {
      const facts = await provider.facts();
      return facts.requests.filter(({ path }) => path === '/guide.xml').length >= guideReads + 3;
    });
    expect(titles((await again.report()).completed)).toEqual(['City vs United', 'Evening News']);
    expect((await again.report()).active).toEqual([]);
    expect(await again.stop()).toMatchObject({ code: 0 });
    const after = (await provider.facts()).requests.filter(({ path }) => path.startsWith('/live/')).length;
    expect(after).toBe(streams);
    expect(filesUnder(scene.publishDir)).toEqual(before);
  });

  it("takes the original system's command line", async ({ onTestFinished }) => {
    const scene = openScene(onTestFinished);
    const provider = await scene.provider({
      channels: [channel('arena', { behaviour: { status: 404 } })],
    });
    const relay = await scene.provider({ channels: [channel('arena')] });
    const now = soon();
    await provider.setProgrammes([programme('arena.tv', 'Relayed vs Direct', now - 5_000, 20, SPORT)]);
    const program = scene.start(
      [
        ['catchup-daemon', '-catalog', provider.catalogUrl, '-xmltv', provider.xmltvUrl],
        ['-out-dir', scene.outDir, '-publish-dir', scene.publishDir, '-stream-base-url', relay.url],
        ['-lanes', 'sports,general', '-max-concurrency', '4'],
        ['-retain-completed-per-lane', 'sports=50,general=100'],
        ['-budget-bytes-per-lane', 'sports=20GiB,general=40GiB'],
      ].flat(),
      // Two settings by environment: the line itself stays as it was.
      { env: { CATCHUPD_DISK_FREE_MIN: '0', CATCHUPD_POST_PADDING: '0s' } },
    );
    const media = await until('it is published', () =>
      filesUnder(scene.publishDir).find((path) => path.endsWith('.ts')),
    );
    expect(media).toMatch(/^sports\/Relayed-vs-Direct-.*-UTC\/Relayed-vs-Direct-.*-UTC\.ts$/);
    await expectWhole(join(scene.publishDir, media), 2);
    const { requests } = await relay.facts();
    expect(requests.map(({ path }) => path)).toContain('/stream/arena');
    expect(await provider.asked('arena')).toBe(0);
    program.signal('SIGTERM');
    expect(await program.exited).toEqual({ code: 0, signal: null });
  });
});

describe.concurrent('what the guide does', () => {
  it('shows one title on two channels: two items', async ({ onTestFinished }) => {
    const scene = openScene(onTestFinished);
    const provider = await scene.provider({
      channels: [channel('one'), channel('two')],
      programmes: nothingYet('one.tv'),
    });
    const daemon = scene.daemon(['--m3u', provider.m3uUrl]);
    await daemon.ready();
    const now = soon();
    await provider.setProgrammes(
      ['one.tv', 'two.tv'].map((id) => programme(id, 'Same Show', now - 1_000, 7)),
    );
    const report = await daemon.sees('both are published', ({ completed }) => completed.length === 2);
    const names = report.completed.map((item) => basename(pathOf(item), '.ts')).toSorted();
    expect(names[0]).toMatch(/^Same-Show-\d{4}-\d\d-\d\d-\d\d-\d\d-UTC$/);
    expect(names[1]).toMatch(new RegExp(`^${names[0]}-Channel-(?:one|two)$`));
    for (const item of report.completed) {
      await expectWhole(pathOf(item), 3);
      const { capsule } = json(pathOf(item).replace(/\.ts$/, '.catchupd.json'));
      expect(capsule).toMatchObject({ channel_id: item.channel_id });
    }
  });

  it('shows ten programmes of one title in a row: ten items', async ({ onTestFinished }) => {
    const scene = openScene(onTestFinished);
    const provider = await scene.provider({ channels: [channel('kids')], programmes: nothingYet('kids.tv') });
    const daemon = scene.daemon(['--m3u', provider.m3uUrl, '--max-concurrency', '4']);
    await daemon.ready();
    const now = soon(4);
    await provider.setProgrammes(
      Array.from({ length: 10 }, (_, n) => programme('kids.tv', 'Pups', now + n * 1_000, 1)),
    );
    const report = await daemon.sees('all are published', ({ completed }) => completed.length === 10, 45_000);
    expect(new Set(report.completed.map(({ start }) => start)).size).toBe(10);
    expect(new Set(report.completed.map(pathOf)).size).toBe(10);
    for (const item of report.completed) {
      expect(item).toMatchObject({ outcome: 'complete', gap_count: 0 });
      await expectWhole(pathOf(item), 1.5);
    }
  });

  it('moves a programme between two looks: one item', async ({ onTestFinished }) => {
    const scene = openScene(onTestFinished);
    const now = soon();
    const provider = await scene.provider({
      channels: [channel('one')],
      programmes: [programme('one.tv', 'Late Show', now + 600_000, 5)],
    });
    const daemon = scene.daemon(['--m3u', provider.m3uUrl]);
    const first = await daemon.sees('it is scheduled', ({ active }) => active.length === 1);
    const at = soon(3);
    await provider.setProgrammes([programme('one.tv', 'Late Show', at, 4)]);
    const report = await daemon.sees('it is published', ({ completed }) => completed.length === 1);
    expect(report.active).toEqual([]);
    expect(report.failed).toEqual([]);
    expect(report.completed[0]).toMatchObject({
      id: first.active[0]?.id,
      start: new Date(at).toISOString().replace('.000Z', 'Z'),
      outcome: 'complete',
    });
  });

  it('lets a programme run on: recorded to its new stop', async ({ onTestFinished }) => {
    const scene = openScene(onTestFinished);
    const provider = await scene.provider({ channels: [channel('one')], programmes: nothingYet('one.tv') });
    const daemon = scene.daemon(['--m3u', provider.m3uUrl]);
    await daemon.ready();
    const now = soon();
    await provider.setProgrammes([programme('one.tv', 'Final vs Replay', now - 1_000, 7, SPORT)]);
    await daemon.sees('it is recorded', ({ active }) => active[0]?.machine_state === 'spooling');
    await provider.setProgrammes([programme('one.tv', 'Final vs Replay', now - 1_000, 11, SPORT)]);
    const report = await daemon.sees('it is published', ({ completed }) => completed.length === 1);
    const [item] = report.completed;
    expect(item?.stop).toBe(new Date(now + 10_000).toISOString().replace('.000Z', 'Z'));
    expect(item?.gap_count).toBeLessThanOrEqual(1);
    await expectWhole(pathOf(item), 7);
  });
});
