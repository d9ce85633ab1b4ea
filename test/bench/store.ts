/**
 * What a change costs that must be on disk, beside one fdatasync of as many bytes on the same disk, with few and with
 * many recordings stored; and how long the store holds the event loop while it writes everything anew.
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/io/clock.js';
import { nodeDisk } from '../../src/io/nodeDisk.js';
import { openStore, type Store } from '../../src/store/store.js';
import { median, numberOption, rounded, type Bench } from './bench.js';
import { storedRecording } from './storedRecordings.js';

const TURNS = 200;
const COMPACTIONS = 3;
const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

interface Measured {
  readonly syncMs: number;
  readonly transitionMs: number;
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

  const line = Buffer.alloc(Buffer.byteLength(JSON.stringify(stored(1, 1))), 'x');
  const probe = openSync(join(folder, 'probe'), 'a');
  const syncs: number[] = [];
  const transitions: number[] = [];
  // In turns, so that whatever else the disk does disturbs both.
  for (let turn = 0; turn < TURNS; turn += 1) {
    const document = stored(turn % count, turn + 2);
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
  closeSync(probe);

  const held: number[] = [];
  for (let round = 0; round < COMPACTIONS; round += 1) {
    const inode = () => statSync(statePath, { throwIfNoEntry: false })?.ino;
    const made = inode();
    let index = 0;
    held.push(
      await heldBy(async () => {
        while (inode() === made) {
          for (let step = 0; step < 5; step += 1) store.put(stored((index += 1) % count, round + TURNS + 2));
          await store.flush();
        }
      }),
    );
  }
  await store.close();
  return { syncMs: median(syncs), transitionMs: median(transitions), heldMs: median(held) };
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
    const overMs = ({ transitionMs, syncMs }: Measured) => transitionMs - syncMs;
    return {
      budgets: [
        { what: 'ms of a durable change over one fdatasync', value: overMs(many), max: 1 },
        {
          what: 'ms that it costs more than with a tenth stored',
          value: overMs(many) - overMs(few),
          max: 0.25,
        },
        { what: 'ms that the loop is held while all is written anew', value: many.heldMs, max: 10 },
      ],
      measured: {
        recordings: count,
        fdatasyncMs: rounded(many.syncMs),
        changeMs: rounded(many.transitionMs),
        changeMsWithATenth: rounded(few.transitionMs),
        heldMsWithATenth: rounded(few.heldMs),
      },
    };
  },
};
