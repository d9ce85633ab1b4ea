/**
 * The door to processes: who this one is, and whether another one still lives. On Linux a process is told from a later
 * one of the same number by its start time, and a machine from itself after a reboot by its boot id.
 */
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';

export interface ProcessFacts {
  readonly host: string;
  /** Changes with every boot, and with every container (process ids mean nothing across either). '' where unknown. */
  readonly bootId: string;
  readonly pid: number;
  /** Start of the process in ticks since boot; '' where unknown. */
  readonly startTicks: string;
}

export interface ProcessProbe {
  self(): Promise<ProcessFacts>;
  /** The start time of a process of this machine, '' where it lives but that is unknown, null where it is gone. */
  startTicks(pid: number): Promise<string | null>;
}

/** Field 22 of /proc/PID/stat, counted behind the command, which may hold blanks and brackets. */
const START_TICKS_FIELD = 19;

async function ticksOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[START_TICKS_FIELD] ?? '';
}

export const systemProcesses: ProcessProbe = {
  async self() {
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
    const space = await readlink('/proc/self/ns/pid').catch(() => '');
    const startTicks = await ticksOf(process.pid).catch(() => '');
    return { host: hostname(), bootId: `${boot.trim()} ${space}`.trim(), pid: process.pid, startTicks };
  },
  async startTicks(pid) {
    try {
      return await ticksOf(pid);
    } catch {
      return isAlive(pid) ? '' : null;
    }
  },
};

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It lives, but is not ours to signal.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
