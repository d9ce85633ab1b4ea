/** Processor time of other processes while they run: to the nanosecond where Linux tells it, else in clock ticks. */
import { readdirSync, readFileSync } from 'node:fs';

/** Milliseconds, user and system, all threads; of processes that have ended what is not known is 0. */
export function processorMs(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + ofProcess(pid), 0);
}

function ofProcess(pid: number): number {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    return threads.reduce((sum, thread) => sum + ofThread(`/proc/${pid}/task/${thread}`), 0);
  } catch {
    return 0;
  }
}

function ofThread(path: string): number {
  const [nanoseconds = '0'] = readFileSync(`${path}/schedstat`, 'latin1').split(' ');
  return Number(nanoseconds) / 1e6;
}
