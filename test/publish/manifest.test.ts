import { expect, it } from 'vitest';

import { ensureLaneFolders, writeRecordedManifest, writeRecordManifest } from '../../src/publish/manifest.js';
import { aCapsule, aRecording } from '../domain/aRecording.js';
import { memoryDisk } from '../sim/memoryDisk.js';
import { manualClock } from '../store/manualClock.js';

const filesOf = (name: string) => ({
  folder: `/media/sports/${name}`,
  media: `/media/sports/${name}/${name}.ts`,
  nfo: `/media/sports/${name}/${name}.nfo`,
  ledger: `/media/sports/${name}/${name}.catchupd.json`,
  ownsFolder: true,
});

async function manifest(write: typeof writeRecordManifest, name: string): Promise<unknown> {
  const disk = memoryDisk();
  await disk.mkdir('/media');
  const recordings = [
    aRecording({ files: filesOf('b'), capsule: aCapsule({ title: 'B' }) }),
    aRecording({ files: filesOf('a'), capsule: aCapsule({ title: 'A' }) }),
    aRecording(),
  ];
  await write({ disk, clock: manualClock() }, '/media', recordings, 0o027);
  disk.crash();
  expect((await disk.stat(`/media/${name}`)).mode).toBe(0o640);
  expect(await disk.readdir('/media')).toEqual([name]);
  return JSON.parse((await disk.readFile(`/media/${name}`)).toString());
}

it('lists what is in the library, by lane and title', async () => {
  expect(await manifest(writeRecordedManifest, 'recorded-publish-manifest.json')).toEqual({
    generated_at: '2026-11-23T19:30:00Z',
    root_dir: '/media',
    items: ['A', 'B'].map((title) => ({
      capsule_id: aCapsule().capsuleId,
      lane: 'sports',
      title,
      directory: filesOf(title.toLowerCase()).folder,
      media_path: filesOf(title.toLowerCase()).media,
      nfo_path: filesOf(title.toLowerCase()).nfo,
      source_ts: filesOf(title.toLowerCase()).media,
    })),
  });
});

it('lists what one pass recorded, with references in place of addresses', async () => {
  expect(await manifest(writeRecordManifest, 'record-manifest.json')).toMatchObject({
    recorded: [
      {
        title: 'B',
        channel_id: 'bbc1',
        output_path: filesOf('b').media,
        source_url: 'm3u-1/bbc1#0',
        bytes: 0,
      },
      { title: 'A' },
    ],
  });
});

it('makes every lane its folder, readable to media servers, once', async () => {
  const disk = memoryDisk();
  await disk.mkdir('/media');
  await ensureLaneFolders(disk, '/media', ['sports', 'general'], 0o022);
  await ensureLaneFolders(disk, '/media', ['sports', 'movies'], 0o077);
  expect(await disk.readdir('/media')).toEqual(['general', 'movies', 'sports']);
  expect((await disk.stat('/media/sports')).mode).toBe(0o755);
});
