import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { diskCode, exists, type Disk } from '../../src/io/disk.js';
import { nodeDisk } from '../../src/io/nodeDisk.js';
import { replaceFile } from '../../src/io/replaceFile.js';
import { memoryDisk } from '../sim/memoryDisk.js';
import { virtualClock } from '../sim/virtualClock.js';

const forms: readonly {
  name: string;
  open: () => Promise<{ disk: Disk; root: string; close: () => Promise<void> }>;
}[] = [
  {
    name: 'the real disk',
    async open() {
      const root = await mkdtemp(join(tmpdir(), 'catchupd-disk-'));
      return { disk: nodeDisk, root, close: () => rm(root, { recursive: true }) };
    },
  },
  {
    name: 'the disk in memory',
    async open() {
      const disk = memoryDisk();
      await disk.mkdir('/root');
      return { disk, root: '/root', close: async () => undefined };
    },
  },
];

async function codeOf(task: Promise<unknown>): Promise<string> {
  return task.then(
    () => 'none',
    (error: unknown) => diskCode(error),
  );
}

async function put(disk: Disk, path: string, text: string): Promise<void> {
  const file = await disk.open(path, 'append');
  await file.write([Buffer.from(text)]);
  await file.close();
}

describe.each(forms)('$name', (form) => {
  let disk: Disk;
  let root: string;
  let close: () => Promise<void>;
  const at = (path: string) => join(root, path);
  const text = async (path: string) => (await disk.readFile(at(path))).toString();

  beforeEach(async () => {
    ({ disk, root, close } = await form.open());
  });
  afterEach(() => close());

  it('appends over several openings and reads back any part', async () => {
    await put(disk, at('a'), 'one,');
    const file = await disk.open(at('a'), 'append');
    await file.write([Buffer.from('two'), Buffer.alloc(0), Buffer.from(',three')]);
    await file.datasync();
    expect(await file.bytes()).toBe(13);
    expect((await file.read(4, 3)).toString()).toBe('two');
    expect((await file.read(8, 100)).toString()).toBe('three');
    expect((await file.read(50, 10)).length).toBe(0);
    await file.close();
    expect(await text('a')).toBe('one,two,three');
  });

  it('writes more pieces than one call of the kernel takes', async () => {
    const file = await disk.open(at('many'), 'create');
    const pieces = Array.from({ length: 3000 }, (_, index) => Buffer.from(`${index},`));
    await file.write(pieces);
    await file.close();
    expect(await text('many')).toBe(pieces.map(String).join(''));
  });

  it('goes on at the end after a cut', async () => {
    const file = await disk.open(at('cut'), 'append');
    await file.write([Buffer.from('whole line\ntorn')]);
    await file.truncate(11);
    await file.write([Buffer.from('next\n')]);
    await file.close();
    expect(await text('cut')).toBe('whole line\nnext\n');
  });

  it('makes a file only once', async () => {
    await (await disk.open(at('once'), 'create')).close();
    expect(await codeOf(disk.open(at('once'), 'create'))).toBe('EEXIST');
    expect(await codeOf(disk.open(at('none'), 'read'))).toBe('ENOENT');
    expect(await codeOf(disk.open(at('none/x'), 'append'))).toBe('ENOENT');
    expect(await codeOf(disk.open(at('once/x'), 'append'))).toBe('ENOTDIR');
  });

  it('links without overwriting, counts the names, and keeps the bytes until the last is gone', async () => {
    await put(disk, at('a'), 'bytes');
    await disk.link(at('a'), at('b'));
    expect((await disk.stat(at('a'))).links).toBe(2);
    expect((await disk.stat(at('a'))).inode).toBe((await disk.stat(at('b'))).inode);
    expect(await codeOf(disk.link(at('a'), at('b')))).toBe('EEXIST');
    await disk.unlink(at('a'));
    expect(await text('b')).toBe('bytes');
    expect((await disk.stat(at('b'))).links).toBe(1);
    expect(await codeOf(disk.unlink(at('a')))).toBe('ENOENT');
    expect(await codeOf(disk.link(at('a'), at('c')))).toBe('ENOENT');
  });

  it('replaces by rename, and refuses to put a file over a folder', async () => {
    await put(disk, at('a'), 'new');
    await put(disk, at('b'), 'old');
    await disk.rename(at('a'), at('b'));
    expect(await text('b')).toBe('new');
    await disk.mkdir(at('folder'));
    expect(await codeOf(disk.rename(at('b'), at('folder')))).toBe('EISDIR');
    expect(await codeOf(disk.rename(at('gone'), at('x')))).toBe('ENOENT');
    await disk.link(at('b'), at('same'));
    await disk.rename(at('b'), at('same'));
    expect(await text('b')).toBe('new');
  });

  it('makes folders with their parents and removes only empty ones', async () => {
    await disk.mkdir(at('x/y/z'));
    await disk.mkdir(at('x/y/z'));
    await put(disk, at('x/y/z/file'), '1');
    expect((await disk.readdir(at('x/y/z'))).toSorted()).toEqual(['file']);
    expect(await codeOf(disk.rmdir(at('x/y/z')))).toBe('ENOTEMPTY');
    expect(await codeOf(disk.readdir(at('x/y/z/file')))).toBe('ENOTDIR');
    expect(await codeOf(disk.readFile(at('x')))).toBe('EISDIR');
    expect(await codeOf(disk.mkdir(at('x/y/z/file')))).toBe('EEXIST');
    await disk.unlink(at('x/y/z/file'));
    await disk.rmdir(at('x/y/z'));
    expect(await exists(disk, at('x/y/z'))).toBe(false);
    expect(await exists(disk, at('x/y/z/file/below'))).toBe(false);
    expect(await codeOf(disk.readdir(at('x/y/z')))).toBe('ENOENT');
  });

  it('tells size, kind and mode, and the space that is left', async () => {
    await put(disk, at('a'), '12345');
    await disk.chmod(at('a'), 0o640);
    expect(await disk.stat(at('a'))).toMatchObject({ kind: 'file', bytes: 5, mode: 0o640 });
    expect((await disk.stat(root)).kind).toBe('folder');
    const { freeBytes, totalBytes } = await disk.space(root);
    expect(freeBytes).toBeGreaterThan(0);
    expect(totalBytes).toBeGreaterThanOrEqual(freeBytes);
    await disk.syncFolder(root);
  });

  it('refuses names longer than the file system takes', async () => {
    expect(await codeOf(disk.open(at('n'.repeat(256)), 'create'))).toBe('ENAMETOOLONG');
  });

  it('replaces a file whole, with the mode asked for, and leaves nothing else behind', async () => {
    await replaceFile(disk, at('doc'), 'first', { mode: 0o600 });
    await replaceFile(disk, at('doc'), 'second', { mode: 0o600 });
    expect(await text('doc')).toBe('second');
    expect((await disk.stat(at('doc'))).mode).toBe(0o600);
    expect(await disk.readdir(root)).toEqual(['doc']);
    await disk.mkdir(at('taken/inside'));
    expect(await codeOf(replaceFile(disk, at('taken'), 'x'))).toBe('EISDIR');
    expect((await disk.readdir(root)).toSorted()).toEqual(['doc', 'taken']);
  });
});

describe('the disk in memory, as a machine under test', () => {
  it('keeps mounts apart and shows the bare folder when one is gone', async () => {
    const disk = memoryDisk();
    disk.mount('/media', { bytes: 100 });
    await put(disk, '/a', 'x');
    expect(await codeOf(disk.link('/a', '/media/a'))).toBe('EXDEV');
    expect(await codeOf(disk.rename('/a', '/media/a'))).toBe('EXDEV');
    await put(disk, '/media/b', '12345');
    disk.unmount('/media');
    expect(await disk.readdir('/media')).toEqual([]);
    disk.mount('/media');
    expect(await disk.readdir('/media')).toEqual(['b']);
  });

  it('writes what fits before it says that the disk is full, and gives space back', async () => {
    const disk = memoryDisk({ bytes: 8 });
    expect(await codeOf(put(disk, '/a', '0123456789'))).toBe('ENOSPC');
    expect((await disk.readFile('/a')).toString()).toBe('01234567');
    await disk.unlink('/a');
    await put(disk, '/b', '1234');
    expect((await disk.space('/')).freeBytes).toBe(4);
  });

  it('loses at a power cut exactly what was not synced', async () => {
    const disk = memoryDisk();
    const file = await disk.open('/log', 'append');
    await file.write([Buffer.from('safe,')]);
    await file.datasync();
    await disk.syncFolder('/');
    await file.write([Buffer.from('lost')]);
    await put(disk, '/unnamed', 'x');
    disk.crash();
    expect((await disk.readFile('/log')).toString()).toBe('safe,');
    expect(await exists(disk, '/unnamed')).toBe(false);
    expect(await codeOf(file.write([Buffer.from('more')]))).toBe('EBADF');
  });

  it('shows the old or the new file after a power cut at any step of a replacement', async () => {
    for (let steps = 0; steps < 8; steps += 1) {
      const disk = memoryDisk();
      await replaceFile(disk, '/doc', 'old');
      let left = steps;
      disk.fault = () => (left-- > 0 ? null : 'EIO');
      const code = await codeOf(replaceFile(disk, '/doc', 'new'));
      disk.fault = () => null;
      disk.crash();
      const after = (await disk.readFile('/doc')).toString();
      expect(code === 'none' ? ['new'] : ['old', 'new']).toContain(after);
    }
  });

  it('takes its time where it is told to: what is asked for is done at the end, and others go on meanwhile', async () => {
    const clock = virtualClock(0);
    const disk = memoryDisk();
    const log = await disk.open('/log', 'append');
    await log.write([Buffer.from('first,')]);
    await disk.syncFolder('/');
    await put(disk, '/old', 'x');
    disk.latency = () => new Promise((resolve) => void clock.after(1_000, resolve));
    const synced = log.datasync();
    const unlinked = disk.unlink('/old');
    disk.latency = () => null;
    await log.write([Buffer.from('second')]);
    await clock.run(999);
    expect([disk.durableBytes('/log'), await exists(disk, '/old')]).toEqual([0, true]);
    await clock.until(Promise.all([synced, unlinked]));
    expect(clock.mono()).toBe(1_000);
    // What came after the sync was asked for is not promised by it.
    expect([disk.durableBytes('/log'), await exists(disk, '/old')]).toEqual(['first,'.length, false]);
  });

  it('loses at a power cut what was under way, or has a part of it', async () => {
    const clock = virtualClock(0);
    const disk = memoryDisk();
    const log = await disk.open('/log', 'append');
    await disk.syncFolder('/');
    await put(disk, '/old', 'x');
    await disk.syncFolder('/');
    disk.latency = () => new Promise((resolve) => void clock.after(1_000, resolve));
    const asked = [
      log.write([Buffer.from('0123'), Buffer.from('4567')]),
      disk.unlink('/old'),
      disk.syncFolder('/'),
    ];
    await clock.run(500);
    disk.crash(1, () => 0.75);
    disk.latency = () => null;
    expect((await disk.readFile('/log')).toString()).toBe('012345');
    expect(await Promise.all([clock.run(1_000), ...asked.map(codeOf)])).toEqual([
      undefined,
      'EIO',
      'EIO',
      'EIO',
    ]);
    expect((await disk.readFile('/log')).toString()).toBe('012345');
    expect(await exists(disk, '/old')).toBe(true);
  });

  it('knows what no power cut could take', async () => {
    const disk = memoryDisk();
    disk.mount('/media');
    await disk.mkdir('/media/films');
    const file = await disk.open('/media/films/one', 'create');
    await file.write([Buffer.from('12345')]);
    await file.datasync();
    await disk.syncFolder('/media/films');
    expect(disk.durableBytes('/media/films/one')).toBe(5);
    await disk.link('/media/films/one', '/media/two');
    await file.write([Buffer.from('6')]);
    expect(disk.durableBytes('/media/two')).toBeNull();
    await disk.syncFolder('/media');
    expect(disk.durableBytes('/media/two')).toBe(5);
    expect(disk.durableBytes('/media/three')).toBeNull();
  });
});
