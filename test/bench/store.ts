/**
 * What a change costs that must be on disk, beside one fdatasync of as many bytes on the same disk, with few and with
 * many recordings stored; and how long the store holds the event loop while it writes everything anew.
 */
import {
  closeSync,
  fdatasyncSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/io/clock.js';
import { nodeDisk } from '../../src/io/nodeDisk.js';
import { openStore, type Store } from '../../src/store/store.js';
import { median, numberOption, rounded, type Bench } from './bench.js';
import { storedRecording } from './storedRecordings.js';

const TURNS = 200;
const COMPACTIONS = 3;
const MADE = 100;
const LOOK_MS = 20;
const SETTLED_LOOKS = 5;
const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

interface Changed {
  readonly syncMs: number;
  readonly transitionMs: number;
  /** By which a change takes longer than the sync beside it. */
  readonly overMs: number;
}

interface Measured {
  readonly still: Changed;
  /** While all is written anew. */
  readonly anew: Changed;
  readonly heldMs: number;
}

async function timed(task: () => Promise<unknown> | void): Promise<number> {
  const from = performance.now();
  await task();
  return performance.now() - from;
}

/** Longest time that the loop did not turn while `task` ran; what other programs took of the processor is not counted. */
async function heldBy(task: () => Promise<void>): Promise<number> {
  let longest = 0;
  let last = performance.now();
  let worked = process.cpuUsage();
  let going = true;
  const turn = () => {
    const { user, system } = process.cpuUsage(worked);
    const now = performance.now();
    longest = Math.max(longest, Math.min(now - last, (user + system) / 1000));
    last = now;
    worked = process.cpuUsage();
    if (going) setImmediate(turn);
  };
  setImmediate(turn);
  await task();
  going = false;
  return longest;
}

async function measure(folder: string, count: number): Promise<Measured> {
  const now = Date.now();
  const statePath = join(folder, 'recorder-state.json');
  const stored = (index: number, rev: number) => ({ ...storedRecording(index, now, folder, folder), rev });
  const open = () => openStore({ disk: nodeDisk, clock: systemClock, log, statePath, reserveBytes: 0 });
  const store: Store = await open();
  for (let index = 0; index < count; index += 1) {
    store.put(stored(index, 1));
    if (index % 500 === 499) await store.flush();
  }
  await store.flush();
  // A change is measured as most are made, and those made while all is written anew beside them.
  await settled(folder);

  const line = Buffer.alloc(Buffer.byteLength(JSON.stringify(stored(1, 1))), 'x');
  const probe = openSync(join(folder, 'probe'), 'a');
  let rev = 1;
  /** In turns with a bare sync, so that whatever else the disk does disturbs both. */
  async function changes(goesOn: (turn: number) => boolean): Promise<Changed> {
    const syncs: number[] = [];
    const transitions: number[] = [];
    for (let turn = 0; goesOn(turn); turn += 1) {
      const document = stored(turn % count, (rev += 1));
      syncs.push(
        await timed(() => {
          writeSync(probe, line);
          fdatasyncSync(probe);
        }),
      );
      transitions.push(
        await timed(() => {
          store.put(document);
          return store.flush();
        }),
      );
    }
    const overs = transitions.map((ms, turn) => ms - (syncs[turn] ?? Number.NaN));
    return { syncMs: median(syncs), transitionMs: median(transitions), overMs: median(overs) };
  }
  const still = await changes((turn) => turn < TURNS);

  // Made before: clearing up behind those who make documents is no work of the store.
  const made = Array.from({ length: Math.min(count, MADE) }, (_, index) => stored(index, 1));
  const putFive = () => {
    rev += 1;
    for (let step = 0; step < 5; step += 1) {
      const document = made[(rev * 5 + step) % made.length];
      if (document) store.put({ ...document, rev });
    }
    return store.flush();
  };
  const held: number[] = [];
  for (let round = 0; round < COMPACTIONS; round += 1) {
    const inode = inodeOf(statePath);
    held.push(
      await heldBy(async () => {
        while (inodeOf(statePath) === inode) await putFive();
      }),
    );
    await settled(folder);
  }
  while (!isWriting(folder)) await putFive();
  const anew = await changes(() => isWriting(folder));
  closeSync(probe);
  await store.close();
  return { still, anew, heldMs: median(held) };
}

function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}

/** Everything is being written anew: the file that it goes into is there. */
function isWriting(folder: string): boolean {
  return readdirSync(folder).some((name) => name.endsWith('.tmp'));
}

async function settled(folder: string): Promise<void> {
  for (let looks = 0; looks < SETTLED_LOOKS; looks += 1) {
    await new Promise<void>((resolve) => void setTimeout(resolve, LOOK_MS));
    if (isWriting(folder)) looks = 0;
  }
}

async function inFolder(count: number): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'catchupd-bench-'));
  try {
    return await measure(folder, count);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export const storeBench: Bench = {
  name: 'store',
  what: 'a durable change with many recordings stored, and the loop while all are written anew',
  options: { recordings: 'how many are stored (10000)' },
  async run(options) {
    const count = numberOption(options, 'recordings', 10_000);
    const few = await inFolder(Math.ceil(count / 10));
    const many = await inFolder(count);
    return {
      budgets: [
        { what: 'ms of a durable change over one fdatasync', value: many.still.overMs, max: 1 },
        { what: 'ms of one while all is written anew', value: many.anew.overMs, max: 1 },
        {
          what: 'ms that it costs more than with a tenth stored',
          value: many.still.overMs - few.still.overMs,
          max: 0.25,
        },
        { what: 'ms that the loop is held while all is written anew', value: many.heldMs, max: 10 },
      ],
      measured: {
        recordings: count,
        fdatasyncMs: rounded(many.still.syncMs),
        changeMs: rounded(many.still.transitionMs),
        changeMsWithATenth: rounded(few.still.transitionMs),
        heldMsWithATenth: rounded(few.heldMs),
      },
    };
  },
};
