import { describe, expect, it } from 'vitest';
import { apart } from '../../src/io/apart.js';
import { diskCode, type Disk } from '../../src/io/disk.js';
import { manualClock, settle } from '../store/manualClock.js';
import { memoryDisk } from '../sim/memoryDisk.js';

/** A disk on which calls below /library begin and do not come back while it hangs. */
async function bench() {
  const memory = memoryDisk();
  for (const path of ['/library', '/rec']) await memory.mkdir(path);
  const clock = manualClock();
  let waiting: (() => void)[] = [];
  let hangs = true;
  const begun: string[] = [];
  async function pass<T>(name: string, path: string, task: () => Promise<T>): Promise<T> {
    if (!/^\/library(\/|$)/.test(path)) return task();
    begun.push(`${name} ${path}`);
    if (hangs) await new Promise<void>((resolve) => waiting.push(resolve));
    return task();
  }
  const slow: Disk = {
    ...memory,
    stat: (path) => pass('stat', path, () => memory.stat(path)),
    readFile: (path) => pass('readFile', path, () => memory.readFile(path)),
    mkdir: (path, mode) => pass('mkdir', path, () => memory.mkdir(path, mode)),
    rename: (from, to) => pass('rename', to, () => memory.rename(from, to)),
    syncFolder: (path) => pass('syncFolder', path, () => memory.syncFolder(path)),
    open: (path, how, mode) => pass('open', path, () => memory.open(path, how, mode)),
  };
  return {
    memory,
    clock,
    begun,
    disk: apart(slow, '/library', clock),
    async heal() {
      hangs = false;
      for (const go of waiting) go();
      waiting = [];
      await settle();
    },
  };
}

const codeOf = (task: Promise<unknown>) => task.then(() => 'done', diskCode);

describe('a folder apart', () => {
  it('that hangs has two calls at a time, one of them a sync, and others none of its trouble', async () => {
    const { disk, begun, heal } = await bench();
    const done: string[] = [];
    for (const path of ['/library', '/library'])
      void disk.syncFolder(path).then(() => done.push(`synced ${path}`));
    for (const path of ['/library/a', '/library/b', '/library/c'])
      void disk.mkdir(path).then(() => done.push(path));
    await settle();
    expect(begun).toEqual(['syncFolder /library', 'mkdir /library/a']);
    await disk.mkdir('/rec/a');
    await disk.mkdir('/library-of-another');
    expect(done).toEqual([]);
    await heal();
    expect(done.toSorted()).toEqual([
      '/library/a',
      '/library/b',
      '/library/c',
      'synced /library',
      'synced /library',
    ]);
  });

  it('answers in time that it does not answer, then at once, until it does; a change waits', async () => {
    const { disk, clock, begun, heal, memory } = await bench();
    const first = codeOf(disk.stat('/library'));
    const change = codeOf(disk.mkdir('/library/made'));
    await clock.advance(9_000);
    let said = '';
    void first.then((code) => (said = code));
    await settle();
    expect(said).toBe('');
    await clock.advance(1_000);
    expect(await first).toBe('ETIMEDOUT');
    expect(await codeOf(disk.readFile('/library/x'))).toBe('ETIMEDOUT');
    expect(await codeOf(disk.space('/library'))).toBe('ETIMEDOUT');
    expect(await codeOf(disk.stat('/rec'))).toBe('done');
    expect(begun).toEqual(['stat /library', 'mkdir /library/made']);
    await heal();
    expect(await change).toBe('done');
    expect(await codeOf(disk.stat('/library/made'))).toBe('done');
    expect(memory.openNames()).toEqual([]);
  });

  it('leaves no file open that was asked for and came too late', async () => {
    const { disk, clock, heal, memory } = await bench();
    const made = await memory.open('/library/film', 'create');
    await made.close();
    const opened = codeOf(disk.open('/library/film', 'read'));
    await clock.advance(10_000);
    expect(await opened).toBe('ETIMEDOUT');
    await heal();
    expect(memory.openFiles()).toBe(0);
    const file = await disk.open('/library/film', 'read');
    expect(await file.bytes()).toBe(0);
    await file.close();
    expect(memory.openFiles()).toBe(0);
  });
});
