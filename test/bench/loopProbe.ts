/**
 * Loaded into a daemon before its own code (`--import`): says over the channel to whoever started it how long its loop
 * was held at most since it was asked last. A timer of one millisecond is late by as much as anything held it up, but
 * for the time in which the thread was ready to run and the machine had no processor for it, which the kernel counts.
 */
import { openSync, readSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

export interface Held {
  /** Longest, in milliseconds, without what the thread waited for a processor. */
  readonly maxMs: number;
  /** The same with it. */
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
  const waited = () => Number(text.toString('latin1', 0, readSync(file, text, 0, 128, 0)).split(' ')[1]) / NS;
  let [last, lastWaited] = [performance.now(), waited()];
  let [maxMs, lateMsMax] = [0, 0];
  let over: [number, number, number] = [0, 0, 0];
  const timer = setInterval(() => {
    const [now, nowWaited] = [performance.now(), waited()];
    const late = now - last - STEP_MS;
    const held = late - (nowWaited - lastWaited);
    [last, lastWaited] = [now, nowWaited];
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
