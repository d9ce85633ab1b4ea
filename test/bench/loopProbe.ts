/**
 * Loaded into a daemon before its own code (`--import`): says over the channel to whoever started it how long its loop
 * was held at most since it was asked last. A timer of one millisecond is late by as much as anything held it up; what
 * of that the thread itself worked is what the daemon can be blamed for, and the kernel counts it. The rest is the
 * machine, which had no processor for it just then.
 */
import { openSync, readSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

export interface Held {
  /** Longest that the thread worked in one piece, in milliseconds. */
  readonly maxMs: number;
  /** Longest that the timer was late, for whatever reason. */
  readonly lateMsMax: number;
  /** How often it was held longer than 5, 10, 20 ms. */
  readonly over: readonly [number, number, number];
  /** Processor time of the process so far. */
  readonly cpuMs: number;
}

const STEP_MS = 1;
const NS = 1_000_000;

function watch(): void {
  // The first thread has the number of the process. "ran waited slices", in nanoseconds.
  const file = openSync(`/proc/self/task/${process.pid}/schedstat`, 'r');
  const text = Buffer.alloc(128);
  const ran = () => Number(text.toString('latin1', 0, readSync(file, text, 0, 128, 0)).split(' ')[0]) / NS;
  let [last, lastRan] = [performance.now(), ran()];
  let [maxMs, lateMsMax] = [0, 0];
  let over: [number, number, number] = [0, 0, 0];
  const timer = setInterval(() => {
    const [now, nowRan] = [performance.now(), ran()];
    const late = now - last - STEP_MS;
    const held = Math.min(late, nowRan - lastRan);
    [last, lastRan] = [now, nowRan];
    maxMs = Math.max(maxMs, held);
    lateMsMax = Math.max(lateMsMax, late);
    over = [over[0] + Number(held > 5), over[1] + Number(held > 10), over[2] + Number(held > 20)];
  }, STEP_MS);
  timer.unref();
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    const held: Held = { maxMs, lateMsMax, over, cpuMs: (user + system) / 1_000 };
    [maxMs, lateMsMax, over] = [0, 0, [0, 0, 0]];
    process.send?.(held);
  });
  process.channel?.unref();
}

if (isMainThread) watch();
