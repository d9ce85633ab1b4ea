import { expect, it } from 'vitest';
import { writeLaunchers } from '../../src/publish/launchers.js';
import { capsule } from '../domain/programmes.js';
import { memoryDisk } from '../sim/memoryDisk.js';

const news = capsule('19:30', '20:00', 'News');
const launcher = (url: string) => ({ capsule: news, url, nfo: '<movie/>' });
const STREAM = '/lib/general/News-2026-11-23-19-30-UTC/News-2026-11-23-19-30-UTC.strm';

it('launchers are written anew where they are ours, and nobody else’s folder is touched', async () => {
  const disk = memoryDisk({ now: () => 0 });
  await disk.mkdir('/lib');
  const first = await writeLaunchers(disk, '/lib', [launcher('http://u:p@h/1')], new Set(), 0o022);
  expect(first.written.map(({ streamPath }) => streamPath)).toEqual([STREAM]);
  expect((await disk.readFile(STREAM)).toString()).toBe('http://u:p@h/1\n');

  const again = await writeLaunchers(disk, '/lib', [launcher('http://h/2')], new Set([STREAM]), 0o022);
  expect(again.foreign).toEqual([]);
  expect((await disk.readFile(STREAM)).toString()).toBe('http://h/2\n');

  const strange = await writeLaunchers(disk, '/lib', [launcher('http://h/3')], new Set(), 0o022);
  expect(strange).toEqual({ written: [], foreign: ['/lib/general/News-2026-11-23-19-30-UTC'] });
  expect((await disk.readFile(STREAM)).toString()).toBe('http://h/2\n');
});

it('two programmes of one title and minute have launchers of their own', async () => {
  const disk = memoryDisk({ now: () => 0 });
  await disk.mkdir('/lib');
  const two = { ...launcher('http://h/2'), capsule: capsule('19:30', '20:00', 'News', { dnaId: 'dna-two' }) };
  const { written } = await writeLaunchers(disk, '/lib', [launcher('http://h/1'), two], new Set(), 0o022);
  expect(written.map(({ directory }) => directory)).toEqual([
    '/lib/general/News-2026-11-23-19-30-UTC',
    '/lib/general/News-2026-11-23-19-30-UTC-two',
  ]);
});
