import { expect, it } from 'vitest';

import type { ListData } from '../../src/domain/programme.js';
import type { Disk } from '../../src/io/disk.js';
import { readSecrets, writeSecrets } from '../../src/store/secrets.js';
import { memoryDisk } from '../sim/memoryDisk.js';

const list: ListData = {
  channels: [
    {
      source: 'm3u-1',
      channelId: 'c',
      dnaId: 'dna-1',
      guideNumber: '1',
      guideName: 'One',
      tvgId: '',
      group: '',
      quality: 1,
      userAgent: '',
      referrer: '',
      urls: ['http://h/live/u/p/1.ts'],
    },
  ],
  guideUrls: [],
  skipped: { adult: 2 },
};

it('keeps the last good lists over a restart, for nobody else to read', async () => {
  const disk = memoryDisk();
  await writeSecrets(disk, '/out/.catchupd', { 'm3u-1': list });
  disk.crash();
  expect(await readSecrets(disk, '/out/.catchupd')).toEqual({ 'm3u-1': list });
  expect((await disk.stat('/out/.catchupd/sources.json')).mode).toBe(0o600);
});

it('writes a list of thousands in pieces, so that captures get their turn between them', async () => {
  const disk = memoryDisk();
  const sizes: number[] = [];
  const watched: Disk = {
    ...disk,
    async open(path, mode, permissions) {
      const file = await disk.open(path, mode, permissions);
      const write = (chunks: readonly Uint8Array[]) => {
        sizes.push(chunks.reduce((sum, { byteLength }) => sum + byteLength, 0));
        return file.write(chunks);
      };
      return { ...file, write };
    },
  };
  const channels = Array.from({ length: 3_000 }, (_, n) => ({
    ...list.channels[0]!,
    channelId: `c\n"${n}`,
  }));
  const lists = { empty: { ...list, channels: [] }, many: { ...list, channels }, '"': list };
  await writeSecrets(watched, '/out/.catchupd', lists);
  let turns = 0;
  const turn = () => Promise.resolve(void (turns += 1));
  expect(await readSecrets(disk, '/out/.catchupd', turn)).toEqual(lists);
  expect(turns).toBe(30);
  expect(Math.max(...sizes)).toBeLessThan(64 * 1024);
});

it('reads what a tool laid out in another way', async () => {
  const disk = memoryDisk();
  await writeSecrets(disk, '/out/.catchupd', { one: list, two: { ...list, guideUrls: ['http://h/g.xml'] } });
  const path = '/out/.catchupd/sources.json';
  const before = await readSecrets(disk, '/out/.catchupd');
  const value: unknown = JSON.parse((await disk.readFile(path)).toString());
  for (const text of [JSON.stringify(value), JSON.stringify(value, null, 2)]) {
    const file = await disk.open(path, 'append');
    await file.truncate(0);
    await file.write([Buffer.from(text)]);
    await file.close();
    expect(await readSecrets(disk, '/out/.catchupd')).toEqual(before);
  }
});

it('starts without lists where the file is missing or damaged, and keeps the good ones of a half good file', async () => {
  const disk = memoryDisk();
  expect(await readSecrets(disk, '/out/.catchupd')).toEqual({});
  await writeSecrets(disk, '/out/.catchupd', { good: list });
  const path = '/out/.catchupd/sources.json';
  const text = (await disk.readFile(path)).toString();
  const file = await disk.open(path, 'append');
  await file.truncate(0);
  await file.write([Buffer.from(text.replace('"lists": {', '"lists": {"bad": {"channels": 5},'))]);
  expect(await readSecrets(disk, '/out/.catchupd')).toEqual({ good: list });
  await file.truncate(20);
  expect(await readSecrets(disk, '/out/.catchupd')).toEqual({});
});
