/** What every command is given: what was asked, where to log, and where the answer goes. */

import { createWorkerParse } from '../guide/workerParse.js';
import { apart } from '../io/apart.js';
import { systemClock } from '../io/clock.js';
import { nodeDisk } from '../io/nodeDisk.js';
import { systemPrograms } from '../io/programs.js';
import { systemProcesses } from '../io/processProbe.js';
import { systemRandom } from '../io/random.js';
import { undiciExchange } from '../io/undiciExchange.js';
import { undiciTransport } from '../io/undiciTransport.js';
import type { Log } from '../log.js';
import type { Doors } from '../runtime/doors.js';
import { withFailpoint } from './failpoint.js';
import { createThreadPlanner } from '../runtime/threadPlanner.js';
import type { LoadedCommand } from './load.js';
import type { Screen } from './screen.js';

export interface Session {
  readonly loaded: LoadedCommand;
  readonly log: Log;
  /** To stdout, which carries only the command's answer. */
  readonly say: (text: string) => void;
  /** Below the log, where that is a terminal. */
  readonly screen: Screen | null;
}

/** The real doors; `closeDoors` lets the process end. The library may be on a share that hangs. */
export function openDoors(log: Log, publishDir: string | null = null): Doors {
  const disk = publishDir === null ? nodeDisk : apart(nodeDisk, publishDir, systemClock);
  return {
    clock: systemClock,
    disk: withFailpoint(disk, process.env['CATCHUPD_FAILPOINT']),
    transport: undiciTransport(systemClock),
    parse: createWorkerParse(),
    planner: createThreadPlanner(),
    random: systemRandom,
    processes: systemProcesses,
    exchange: undiciExchange(systemClock),
    programs: systemPrograms(systemClock),
    log,
  };
}

export async function closeDoors(doors: Doors): Promise<void> {
  await Promise.all([doors.transport.close(), doors.parse.close(), doors.planner.close()]);
}
