import { describe, expect, it } from 'vitest';

import { systemProcesses, type ProcessFacts, type ProcessProbe } from '../../src/io/processProbe.js';
import { readHeartbeat, takeLock, type Lock, readLock } from '../../src/store/lock.js';
import { memoryDisk } from '../sim/memoryDisk.js';
import { manualClock } from './manualClock.js';

const FOLDER = '/out/.catchupd';

function bench(bytes = Infinity) {
  const clock = manualClock();
  const disk = memoryDisk({ now: clock.now, bytes });
  const alive = new Map<number, string>();
  const processOf = (facts: Partial<ProcessFacts>): ProcessProbe => ({
    self: async () => ({ host: 'nas', bootId: 'boot-1', pid: 10, startTicks: '100', ...facts }),
    startTicks: async (pid) => alive.get(pid) ?? null,
  });
  const take = (instance: string, facts: Partial<ProcessFacts> = {}) =>
    takeLock({ disk, clock, processes: processOf(facts) }, FOLDER, instance);
  return { clock, disk, alive, take };
}

/** What a start ends with, time passing as it needs. */
async function outcomeOf(
  task: Promise<Lock>,
  clock: ReturnType<typeof manualClock>,
  ms: number,
): Promise<string> {
  let outcome = 'waiting';
  void task.then(
    () => (outcome = 'taken'),
    (error: unknown) => (outcome = error instanceof Error ? error.message : 'failed'),
  );
  await clock.advance(ms);
  return outcome;
}

describe('the lock', () => {
  it('is held by one, named to the next, and free again after its release', async () => {
    const { alive, take, disk } = bench();
    const lock = await take('a');
    alive.set(10, '100');
    await expect(take('b', { pid: 11 })).rejects.toMatchObject({
      code: 'state_locked',
      detail: '/out/.catchupd/lock is held by process 10 on nas',
    });
    await lock.release();
    await take('b', { pid: 11 });
    expect(await disk.readdir(FOLDER)).toEqual(['lock']);
  });

  it('is taken on a full disk by giving up what is held back for the state, and from nobody who lives', async () => {
    const { alive, disk, take } = bench(1_000_000);
    await take('a');
    alive.set(10, '100');
    const put = async (path: string) => {
      const file = await disk.open(path, 'append');
      const { freeBytes } = await disk.space(FOLDER);
      await file.write([Buffer.alloc(path.endsWith('reserve') ? 1_000 : freeBytes)]);
      await file.close();
    };
    await put(`${FOLDER}/reserve`);
    await put('/out/others');
    await expect(take('b', { pid: 11 })).rejects.toMatchObject({ code: 'state_locked' });
    expect(disk.files().has(`${FOLDER}/reserve`)).toBe(true);
    alive.delete(10);
    // In the room of the one that is stale.
    await take('c', { pid: 12 });
    expect(disk.files().has(`${FOLDER}/reserve`)).toBe(true);
    await disk.unlink(`${FOLDER}/lock`);
    await put('/out/others');
    await take('d', { pid: 13 });
    expect(disk.files().has(`${FOLDER}/reserve`)).toBe(false);
    expect(await readLock(disk, FOLDER)).toMatchObject({ pid: 13 });
    await disk.unlink(`${FOLDER}/lock`);
    await put('/out/others');
    await expect(take('e', { pid: 14 })).rejects.toMatchObject({ code: 'state_unwritable' });
  });

  it('passes on at once when the same boot shows the process gone, or another under its number', async () => {
    const { alive, take } = bench();
    await take('a');
    await take('b', { pid: 11 });
    alive.set(11, '999');
    await take('c', { pid: 12 });
    alive.set(12, '100');
    await expect(take('d', { pid: 13 })).rejects.toMatchObject({ code: 'state_locked' });
    // A container made anew: the same number is this very process, which began later.
    alive.set(12, '500');
    await take('e', { pid: 12, startTicks: '500' });
  });

  it('of another host is taken only after 30 s of watching without a beat', async () => {
    const { clock, take } = bench();
    const lock = await take('a');
    await lock.beat({ listen: null });
    const other = take('b', { host: 'other' });
    expect(await outcomeOf(other, clock, 29_000)).toBe('waiting');
    expect(await outcomeOf(other, clock, 3000)).toBe('taken');
    expect(await lock.beat({ listen: null })).toBe('lost');
  });

  it('is waited for while its folder is gone, and put back where it is missing', async () => {
    const { disk, take } = bench();
    const lock = await take('a');
    await disk.rename(FOLDER, '/elsewhere');
    expect(await lock.beat({ listen: null })).toBe('unwritten');
    await disk.rename('/elsewhere', FOLDER);
    expect(await lock.beat({ listen: null })).toBe('held');
    await disk.unlink(`${FOLDER}/lock`);
    expect(await lock.beat({ listen: null })).toBe('held');
    expect(await readLock(disk, FOLDER)).toMatchObject({ instance: 'a' });
    await disk.unlink(`${FOLDER}/lock`);
    await take('b');
    expect(await lock.beat({ listen: null })).toBe('lost');
  });

  it('of a living host is not taken, even where its clock is an hour behind', async () => {
    const { clock, disk, take } = bench();
    const behind = { ...clock, now: () => clock.now() - 3_600_000 };
    const lock = await takeLock(
      {
        disk,
        clock: behind,
        processes: {
          self: async () => ({ host: 'far', bootId: 'b', pid: 1, startTicks: '1' }),
          startTicks: async () => null,
        },
      },
      FOLDER,
      'far',
    );
    await lock.beat({ listen: null });
    const other = take('b');
    await clock.advance(4000);
    await lock.beat({ listen: null });
    expect(await outcomeOf(other, clock, 2000)).toBe('/out/.catchupd/lock is held by process 1 on far');
  });

  it('passes on at once after a reboot of the same host', async () => {
    const { clock, take } = bench();
    const lock = await take('a');
    await lock.beat({ listen: null });
    await clock.advance(31_000);
    await take('b', { bootId: 'boot-2' });
  });

  it('shows in its heartbeat who it is and where its door is', async () => {
    const { clock, disk, take } = bench();
    const lock = await take('a');
    expect(await readHeartbeat(disk, FOLDER)).toBeNull();
    expect(await lock.beat({ listen: 'http://127.0.0.1:8998' })).toBe('held');
    expect(await readHeartbeat(disk, FOLDER)).toEqual({
      at: clock.now(),
      instance: 'a',
      pid: 10,
      listen: 'http://127.0.0.1:8998',
    });
    disk.fault = (operation) => (operation === 'create' ? 'ENOSPC' : null);
    expect(await lock.beat({ listen: null })).toBe('unwritten');
  });

  it('goes to exactly one of many that start at once over a dead one', async () => {
    const { alive, take } = bench();
    await take('dead', { pid: 9 });
    for (let pid = 20; pid < 30; pid += 1) alive.set(pid, `${pid}`);
    const starts = Array.from({ length: 10 }, (_, index) => index + 20).map((pid) =>
      take(`i${pid}`, { pid, startTicks: `${pid}` }).then(
        () => 'taken',
        () => 'refused',
      ),
    );
    const taken = (await Promise.all(starts)).filter((outcome) => outcome === 'taken');
    expect(taken).toEqual(['taken']);
  });

  it('works where there are no hard links', async () => {
    const clock = manualClock();
    const disk = memoryDisk({ hardLinks: false, now: clock.now });
    const lock = await takeLock({ disk, clock, processes: systemProcesses }, FOLDER, 'a');
    await expect(takeLock({ disk, clock, processes: systemProcesses }, FOLDER, 'b')).rejects.toMatchObject({
      code: 'state_locked',
    });
    await lock.release();
    expect(await disk.readdir(FOLDER)).toEqual([]);
  });

  it('cannot be taken where nothing can be written, and says where', async () => {
    const { disk, take } = bench();
    disk.fault = (operation) => (operation === 'create' ? 'EROFS' : null);
    await expect(take('a')).rejects.toMatchObject({
      code: 'state_unwritable',
      detail: '/out/.catchupd/lock (EROFS)',
    });
  });
});

describe('the real processes', () => {
  it('know this one and miss one that is not there', async () => {
    const self = await systemProcesses.self();
    expect(self.pid).toBe(process.pid);
    expect(await systemProcesses.startTicks(process.pid)).toBe(self.startTicks);
    expect(await systemProcesses.startTicks(2 ** 22 + 1)).toBeNull();
  });
});
