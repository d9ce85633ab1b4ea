/** Lanes of kind `shows`: many recordings share the folders of a series, and none of them harms another. */
import { describe, expect, it } from 'vitest';

import { removeRecording } from '../../src/expire/remove.js';
import type { Recording } from '../../src/domain/recording.js';
import { memoryDisk } from '../sim/memoryDisk.js';
import { aCapsule, aRecording, START } from '../domain/aRecording.js';
import { finalizeBench, OUT, packets, PUBLISH, writeSpool, type FinalizeBench } from './finalizeBench.js';

const WIRE = '/media/series/The Wire';
const EPISODE = `${WIRE}/Season 01/The Wire - S01E04 - Old Cases`;
const THREE = ['.catchupd.json', '.nfo', '.ts'].map((end) => EPISODE + end);

function anEpisode(id: string, over: Parameters<typeof aCapsule>[0] = {}): Recording {
  const wire = { title: 'The Wire', subTitle: 'Old Cases', episode: 's1e4', lane: 'series' };
  return aRecording({
    id,
    spool: `/out/series/${id}.partial.ts`,
    capsule: aCapsule({ ...wire, ...over }),
  });
}

async function publish(bench: FinalizeBench, recording: Recording, fill = 1): Promise<Recording> {
  await writeSpool(bench.disk, recording.spool, packets(2, fill));
  const outcome = await bench.finalize(recording, PUBLISH, 'shows');
  if (outcome.kind !== 'published') throw new Error(JSON.stringify(outcome));
  return { ...recording, files: outcome.files };
}

const remove = (bench: FinalizeBench, recording: Recording) =>
  removeRecording(
    { recording, index: `/out/.catchupd/index/${recording.id}`, roots: [OUT, PUBLISH] },
    { disk: bench.disk, clock: bench.clock, durable: async () => undefined },
  );

const text = ({ disk }: FinalizeBench, path: string) => disk.files().get(path)?.toString();

describe('an episode', () => {
  it('lies in the season of its series, beside its nfo and ledger, and brings the description of the series', async () => {
    const bench = await finalizeBench();
    const { files } = await publish(bench, anEpisode('11111111'));
    expect(files).toMatchObject({ folder: `${WIRE}/Season 01`, media: `${EPISODE}.ts`, ownsFolder: false });
    expect(bench.paths('/media').toSorted()).toEqual([...THREE, `${WIRE}/tvshow.nfo`]);
    expect(text(bench, `${EPISODE}.nfo`)).toContain('<showtitle>The Wire</showtitle>');
    expect(text(bench, `${WIRE}/tvshow.nfo`)).toContain('<title>The Wire</title>');
    expect(await bench.disk.stat(`${WIRE}/tvshow.nfo`)).toMatchObject({ mode: 0o644 });
    expect((await bench.disk.stat(WIRE)).mode).toBe(0o755);
  });

  it('that comes again, or twice on one day, is a further item', async () => {
    const bench = await finalizeBench();
    const again = { startAt: START + 7_200_000, stopAt: START + 7_800_000 };
    await publish(bench, anEpisode('11111111'));
    await publish(bench, anEpisode('22222222', again), 2);
    await publish(bench, anEpisode('33333333', { ...again, episode: '' }), 3);
    await publish(bench, anEpisode('44444444', { episode: '' }), 4);
    const media = bench.paths('/media').filter((path) => path.endsWith('.ts'));
    expect(media).toEqual([
      `${EPISODE}-BBC One.ts`,
      `${EPISODE}.ts`,
      `${WIRE}/Season 2026/The Wire - 2026-11-23 19-30 - Old Cases.ts`,
      `${WIRE}/Season 2026/The Wire - 2026-11-23 21-30 - Old Cases.ts`,
    ]);
    expect(media.map((path) => bench.disk.files().get(path)?.[1])).toEqual([2, 1, 4, 3]);
  });

  it('many of which finish in the same moment get an item each, also where there are no links', async () => {
    const bench = await finalizeBench(memoryDisk({ hardLinks: false }));
    const all = [1, 2, 3, 4].map((n) => anEpisode(`0000000${n}`));
    const done = await Promise.all(all.map((recording, n) => publish(bench, recording, n)));
    const media = done.map(({ files }) => files?.media ?? '');
    expect(new Set(media).size).toBe(4);
    expect(media.map((path) => bench.disk.files().get(path)?.[1])).toEqual([0, 1, 2, 3]);
    expect(bench.paths('/media')).toHaveLength(4 * 3 + 1);
  });

  it('leaves a description that somebody else wrote as it is', async () => {
    const bench = await finalizeBench();
    await writeSpool(bench.disk, `${WIRE}/tvshow.nfo`, Buffer.from('<tvshow>mine</tvshow>'));
    const recording = await publish(bench, anEpisode('11111111'));
    expect(await remove(bench, recording)).toMatchObject({ kind: 'removed' });
    expect(bench.paths('/media')).toEqual([`${WIRE}/tvshow.nfo`]);
    expect(text(bench, `${WIRE}/tvshow.nfo`)).toBe('<tvshow>mine</tvshow>');
  });

  it('that goes leaves the others; the last takes what they shared', async () => {
    const bench = await finalizeBench();
    const one = await publish(bench, anEpisode('11111111'));
    const two = await publish(bench, anEpisode('22222222', { episode: 's2e1' }));
    expect(await remove(bench, one)).toMatchObject({ kind: 'removed' });
    expect(await bench.disk.readdir(WIRE)).toEqual(['Season 02', 'tvshow.nfo']);
    expect(await remove(bench, two)).toMatchObject({ kind: 'removed' });
    expect(await bench.disk.readdir('/media/series')).toEqual([]);
    expect(await remove(bench, two)).toMatchObject({ kind: 'removed' });
  });

  it('that goes leaves what a person put into its season or its series', async () => {
    const bench = await finalizeBench();
    const recording = await publish(bench, anEpisode('11111111'));
    const own = [`${WIRE}/Season 01/season.nfo`, `${WIRE}/poster.jpg`];
    for (const path of own) await writeSpool(bench.disk, path, Buffer.from('mine'));
    expect(await remove(bench, recording)).toMatchObject({ kind: 'removed' });
    expect(bench.paths('/media').toSorted()).toEqual([...own, `${WIRE}/tvshow.nfo`].toSorted());
  });

  it('with a title of anything is an item, on a disk with short names too', async () => {
    for (const title of [
      'Ein sehr langer Titel '.repeat(14),
      '😀'.repeat(120),
      '/////',
      '...',
      'مباراة '.repeat(60),
      'a\u0000b\u001b[31mc\n\u202e',
      '\ud83d',
    ])
      for (const nameMax of [255, 143]) {
        const disk = memoryDisk();
        disk.mount('/media', { nameMax });
        const bench = await finalizeBench(disk);
        const { files } = await publish(bench, anEpisode('11111111', { title, subTitle: title }));
        expect(files?.media).toMatch(
          /^\/media\/series\/[^/\p{C}]+\/Season 01\/[^/\p{C}]+ - S01E04[^/\p{C}]*\.ts$/u,
        );
        expect(bench.paths('/media')).toHaveLength(4);
      }
  });
});

describe('a crash while an episode is finished', () => {
  it.each([
    ['on one file system', {}, false],
    ['between two', {}, true],
    ['without hard links', { hardLinks: false }, false],
  ])(
    'at any disk operation %s is made good by the next run, and leaves what others are about to put there',
    async (_, options, mounted) => {
      const other = `${WIRE}/Season 01/.22222222 The Wire - S01E05.9-1.tmp`;
      for (let steps = 0; ; steps += 1) {
        const disk = memoryDisk(options);
        if (mounted) disk.mount('/media');
        const bench = await finalizeBench(disk);
        const recording = anEpisode('11111111');
        await writeSpool(disk, recording.spool, packets(50));
        await writeSpool(disk, other, packets(1));
        for (const path of [recording.spool, other]) {
          const file = await disk.open(path, 'append');
          await file.datasync();
          await file.close();
        }
        for (const folder of [
          '/',
          '/out',
          '/out/series',
          '/media',
          '/media/series',
          WIRE,
          `${WIRE}/Season 01`,
        ])
          await disk.syncFolder(folder);
        let left = steps;
        disk.fault = () => (left-- > 0 ? null : 'EIO');
        const first = await bench.finalize(recording, PUBLISH, 'shows');
        expect(disk.openFiles()).toBe(0);
        disk.fault = () => null;
        disk.crash();
        expect(await bench.finalize(recording, PUBLISH, 'shows')).toMatchObject({ kind: 'published' });
        expect(bench.paths('/out')).toEqual([]);
        expect(bench.paths('/media').toSorted()).toEqual([other, ...THREE, `${WIRE}/tvshow.nfo`].toSorted());
        expect(disk.files().get(`${EPISODE}.ts`)?.equals(packets(50))).toBe(true);
        if (first.kind === 'published') break;
        expect(steps).toBeLessThan(200);
      }
    },
  );

  it('leaves nothing of its own behind, in the season and above it', async () => {
    const bench = await finalizeBench();
    const left = [`${WIRE}/.11111111 tvshow.nfo.9-1.tmp`, `${WIRE}/Season 01/.11111111 The Wire.9-2.tmp`];
    for (const path of left) await writeSpool(bench.disk, path, Buffer.from('half'));
    await publish(bench, anEpisode('11111111'));
    expect(bench.paths('/media').toSorted()).toEqual([...THREE, `${WIRE}/tvshow.nfo`]);
  });

  it('after its media was moved is found again, though its lane is none of series any more', async () => {
    const bench = await finalizeBench();
    const recording = anEpisode('11111111');
    await publish(bench, recording);
    expect(await bench.finalize(recording, PUBLISH, 'movies')).toMatchObject({
      kind: 'published',
      files: { media: `${EPISODE}.ts` },
    });
  });
});
