/**
 * One daemon a folder: the lock names its holder, the heartbeat shows that it lives (DESIGN §3). A lock is stale when
 * the same boot shows the process gone or another under its number, elsewhere after 30 s without a beat.
 */
import { dirname, join } from 'node:path';

import { z } from 'zod';

import { CodedError } from '../domain/errors.js';
import { pause, type Clock } from '../io/clock.js';
import { diskCode, diskProblem, exists, type Disk } from '../io/disk.js';
import type { ProcessFacts, ProcessProbe } from '../io/processProbe.js';
import { replaceFile, temporaryName, writeNew } from '../io/replaceFile.js';

export const BEAT_MS = 5000;
const STALE_MS = 30_000;
/** Two beats: a holder whose clock differs from ours shows itself within them. */
const WATCH_MS = 2 * BEAT_MS + 1000;
const LOOK_MS = 1000;
const TRIES_MAX = 5;

const holderSchema = z.object({
  instance: z.string(),
  host: z.string(),
  bootId: z.string(),
  pid: z.number(),
  startTicks: z.string(),
});
const heartbeatSchema = z.object({
  at: z.number(),
  instance: z.string(),
  pid: z.number(),
  listen: z.string().nullable(),
});

export type LockHolder = z.infer<typeof holderSchema>;

export interface Heartbeat {
  readonly at: number;
  readonly instance: string;
  readonly pid: number;
  /** Where its HTTP door is, as `http://host:port`, or null. */
  readonly listen: string | null;
}

export interface Lock {
  readonly instance: string;
  /**
   * Due every BEAT_MS. `unwritten`: the folder is not there or cannot be written, which passes. `lost`: somebody else
   * holds the lock now, so nothing may be written any more. Never rejects.
   */
  beat(extra: { readonly listen: string | null }): Promise<'held' | 'lost' | 'unwritten'>;
  /** Gives the lock back if it still is ours. Never rejects. */
  release(): Promise<void>;
}

export interface LockDoors {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly processes: ProcessProbe;
  readonly log?: { warn(facts: object, message: string): void };
}

/**
 * Takes the lock in `<out-dir>/.catchupd`; `instance` is new for each start. A holder elsewhere is watched for a while
 * before it is taken for dead. Throws CodedError `state_locked` naming the holder,
 * `folder_unwritable` or `state_unwritable`.
 */
export async function takeLock(doors: LockDoors, privateFolder: string, instance: string): Promise<Lock> {
  const { disk, clock } = doors;
  const path = join(privateFolder, 'lock');
  const self = await doors.processes.self();
  const mine = `${JSON.stringify({ instance, ...self })}\n`;
  await disk.mkdir(privateFolder).catch((error: unknown) => {
    throw new CodedError('folder_unwritable', `${dirname(privateFolder)} (${diskCode(error)})`);
  });
  try {
    for (let tries = 0; !(await placeWithRoom(doors, path, mine)); tries += 1) {
      const text = await readText(disk, path);
      if (text === null) continue;
      const holder = parseHolder(text);
      const stale = tries < TRIES_MAX && (await isStale(doors, privateFolder, path, text, holder, self));
      if (!stale) throw new CodedError('state_locked', describe(path, holder));
      await removeStale(disk, path, text);
    }
  } catch (error) {
    if (error instanceof CodedError) throw error;
    throw new CodedError('state_unwritable', `${path} (${diskCode(error)})`);
  }
  /** `absent`: nobody took it; the disk went away and came back as it was before, or a person tidied up. */
  async function whose(): Promise<'mine' | 'absent' | 'other'> {
    const text = await readText(disk, path);
    if (text === null) return 'absent';
    return text === mine || parseHolder(text)?.instance === instance ? 'mine' : 'other';
  }
  return {
    instance,
    async beat({ listen }) {
      try {
        if (!(await exists(disk, privateFolder))) return 'unwritten';
        const owner = await whose();
        if (owner === 'other' || (owner === 'absent' && !(await place(disk, path, mine)))) return 'lost';
        const beat: Heartbeat = { at: clock.now(), instance, pid: self.pid, listen };
        await replaceFile(disk, heartbeatPath(privateFolder), `${JSON.stringify(beat)}\n`, { sync: false });
        return 'held';
      } catch {
        return 'unwritten';
      }
    },
    async release() {
      try {
        if ((await whose()) !== 'mine') return;
        await disk.unlink(heartbeatPath(privateFolder)).catch(() => undefined);
        await disk.unlink(path);
      } catch {
        // The next start finds the process gone.
      }
    },
  };
}

/** The last beat of whoever works on the folder, or null. Rejects with disk errors other than "not there". */
export async function readHeartbeat(disk: Disk, privateFolder: string): Promise<Heartbeat | null> {
  const text = await readText(disk, heartbeatPath(privateFolder));
  const parsed = heartbeatSchema.safeParse(parseJson(text ?? ''));
  return parsed.success ? parsed.data : null;
}

/** Who holds the lock, alive or not, or null. */
export async function readLock(disk: Disk, privateFolder: string): Promise<LockHolder | null> {
  return parseHolder((await readText(disk, join(privateFolder, 'lock'))) ?? '');
}

function heartbeatPath(privateFolder: string): string {
  return join(privateFolder, 'heartbeat');
}

/**
 * On a full disk the space held back for the state makes room for the lock of whoever starts: only a start can make
 * more. Nobody gives up what another who may still live holds back.
 */
async function placeWithRoom({ disk, log }: LockDoors, path: string, text: string): Promise<boolean> {
  try {
    return await place(disk, path, text);
  } catch (error) {
    if (diskProblem(error) !== 'disk_full') throw error;
    if (await exists(disk, path)) return false;
    const reserve = join(dirname(path), 'reserve');
    await disk.unlink(reserve).catch(() => {
      throw error;
    });
    log?.warn({ path: reserve }, 'the disk is full; the reserve kept for the state was given up');
    return place(disk, path, text);
  }
}

/** Puts the lock there whole or not at all; false where one is there. */
async function place(disk: Disk, path: string, text: string): Promise<boolean> {
  const temporary = temporaryName(disk, path);
  await writeNew(disk, temporary, text, { mode: 0o644, sync: true });
  try {
    await disk.link(temporary, path);
    return true;
  } catch (error) {
    if (diskCode(error) === 'EEXIST') return false;
    return await placeWithoutLinks(disk, path, text);
  } finally {
    await disk.unlink(temporary).catch(() => undefined);
  }
}

async function placeWithoutLinks(disk: Disk, path: string, text: string): Promise<boolean> {
  try {
    await writeNew(disk, path, text, { mode: 0o644, sync: true });
    return true;
  } catch (error) {
    if (diskCode(error) === 'EEXIST') return false;
    throw error;
  }
}

async function isStale(
  doors: LockDoors,
  privateFolder: string,
  path: string,
  lockText: string,
  holder: LockHolder | null,
  self: ProcessFacts,
): Promise<boolean> {
  const { disk, clock, processes } = doors;
  if (holder && holder.host === self.host && holder.bootId === self.bootId) {
    const ticks = await processes.startTicks(holder.pid);
    return ticks === null || (ticks !== '' && holder.startTicks !== '' && ticks !== holder.startTicks);
  }
  const first = await readText(disk, heartbeatPath(privateFolder));
  const beat = await readHeartbeat(disk, privateFolder);
  const beatAt = beat?.at ?? (await disk.stat(path)).mtimeMs;
  const silentMs = clock.now() - beatAt;
  // After a reboot the host is the same and nobody can be left; elsewhere the clocks may differ, so it is watched.
  if (silentMs > STALE_MS && holder?.host === self.host) return true;
  const watchMs = silentMs > STALE_MS ? WATCH_MS : STALE_MS;
  for (const until = clock.mono() + watchMs; clock.mono() < until;) {
    await pause(clock, LOOK_MS);
    if ((await readText(disk, heartbeatPath(privateFolder))) !== first) return false;
    if ((await readText(disk, path)) !== lockText) return false;
  }
  return true;
}

/** Takes a stale lock away, unless another start was quicker and it is no longer the one that was judged. */
async function removeStale(disk: Disk, path: string, judged: string): Promise<void> {
  const aside = temporaryName(disk, path);
  try {
    await disk.rename(path, aside);
  } catch (error) {
    if (diskCode(error) === 'ENOENT') return;
    throw error;
  }
  if ((await readText(disk, aside)) !== judged) await disk.link(aside, path).catch(() => undefined);
  await disk.unlink(aside);
}

function describe(path: string, holder: LockHolder | null): string {
  return holder ? `${path} is held by process ${holder.pid} on ${holder.host}` : `${path} is held`;
}

function parseHolder(text: string): LockHolder | null {
  const parsed = holderSchema.safeParse(parseJson(text));
  return parsed.success ? parsed.data : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function readText(disk: Disk, path: string): Promise<string | null> {
  try {
    return (await disk.readFile(path)).toString('utf8');
  } catch (error) {
    if (diskCode(error) === 'ENOENT') return null;
    throw error;
  }
}
