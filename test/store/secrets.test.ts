import { isDeepStrictEqual } from 'node:util';
import { expect, it } from 'vitest';

import type { ListData } from '../../src/domain/programme.js';
import type { Disk } from '../../src/io/disk.js';
import { replaceFile } from '../../src/io/replaceFile.js';
import { readSecrets, writeSecrets } from '../../src/store/secrets.js';
import { memoryDisk } from '../sim/memoryDisk.js';

const FOLDER = '/out/.catchupd';
const PATH = '/out/.catchupd/sources.json';

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
  expect(await readSecrets(disk, '/out/.catchupd')).toEqual({ lists: { 'm3u-1': list }, damaged: null });
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
  expect(await readSecrets(disk, '/out/.catchupd', turn)).toEqual({ lists, damaged: null });
  expect(turns).toBe(30);
  expect(Math.max(...sizes)).toBeLessThan(64 * 1024);
});

it('reads what a tool laid out in another way', async () => {
  const disk = memoryDisk();
  await writeSecrets(disk, '/out/.catchupd', { one: list, two: { ...list, guideUrls: ['http://h/g.xml'] } });
  const path = '/out/.catchupd/sources.json';
  const before = await readSecrets(disk, '/out/.catchupd');
  const value: unknown = JSON.parse((await disk.readFile(path)).toString(), (key, part: unknown) =>
    key === 'crc' ? undefined : part,
  );
  for (const text of [JSON.stringify(value), JSON.stringify(value, null, 2)]) {
    const file = await disk.open(path, 'append');
    await file.truncate(0);
    await file.write([Buffer.from(text)]);
    await file.close();
    expect(await readSecrets(disk, '/out/.catchupd')).toEqual(before);
  }
});

it('starts without lists where there are none, and reads those of before there was a checksum', async () => {
  const disk = memoryDisk();
  expect(await readSecrets(disk, FOLDER)).toEqual({ lists: {}, damaged: null });
  await writeSecrets(disk, FOLDER, { good: list });
  const text = (await disk.readFile(PATH))
    .toString()
    .replace(/, "crc": "[0-9a-f]{8}"/, '}')
    .slice(0, -2);
  await put(disk, Buffer.from(text));
  expect(await readSecrets(disk, FOLDER)).toEqual({ lists: { good: list }, damaged: null });
});

it('keeps of a file that a person broke the lists that are whole, and says that it is damaged', async () => {
  const disk = memoryDisk();
  const broken = Buffer.from(JSON.stringify({ version: 1, lists: { bad: { channels: 5 }, good: list } }));
  await put(disk, broken);
  expect(await readSecrets(disk, FOLDER)).toEqual({ lists: { good: list }, damaged: broken });
});

it('loses by any changed byte one channel or the list whose end it hits, by any cut what follows, and says so', async () => {
  const one = list.channels[0]!;
  const row = (source: string, channelId: string) => ({ ...one, source, channelId });
  const lists = Object.fromEntries(
    ['m3u-1', 'm3u-2'].map((id) => [id, { ...list, channels: ['a', 'b', 'c'].map((n) => row(id, n)) }]),
  );
  const disk = memoryDisk();
  await writeSecrets(disk, FOLDER, lists);
  const whole = await disk.readFile(PATH);
  const sizes = (found: Record<string, ListData>) =>
    Object.values(found).map(({ channels }) => channels.length);
  const wrong: unknown[] = [];
  for (let at = 0; at < whole.length; at += 1) {
    for (const byte of [(whole[at] ?? 0) ^ 1, 0x0a, 0xff]) {
      if (byte === whole[at]) continue;
      const changed = Buffer.from(whole);
      changed[at] = byte;
      await put(disk, changed);
      const found = await readSecrets(disk, FOLDER);
      const left = sizes(found.lists)
        .toSorted((a, b) => a - b)
        .join(',');
      if (!found.damaged?.equals(changed) || !['3,3', '2,3', '1,3', '3'].includes(left))
        wrong.push({ at, byte, left });
    }
    await put(disk, whole.subarray(0, at));
    const cut = await readSecrets(disk, FOLDER);
    const isWhole = Object.entries(cut.lists).every(([id, each]) => isDeepStrictEqual(each, lists[id]));
    if (cut.damaged?.length !== at || !isWhole) wrong.push({ at, cut: cut.lists });
  }
  expect(wrong).toEqual([]);
  await put(disk, whole);
  expect(await readSecrets(disk, FOLDER)).toEqual({ lists, damaged: null });
});

async function put(disk: Disk, bytes: Buffer): Promise<void> {
  await disk.mkdir(FOLDER);
  await replaceFile(disk, PATH, bytes);
}
