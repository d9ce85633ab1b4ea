/** Every door to the world that the daemon has: real ones in production, virtual ones in a simulation. */

import type { Clock } from '../io/clock.js';
import type { Disk } from '../io/disk.js';
import type { Exchange } from '../io/exchange.js';
import type { Parse } from '../io/parse.js';
import type { ProcessProbe } from '../io/processProbe.js';
import type { Programs } from '../io/programs.js';
import type { Random } from '../io/random.js';
import type { Transport } from '../io/transport.js';
import type { Log } from '../log.js';
import type { Planner } from './planner.js';

export interface Doors {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly transport: Transport;
  readonly parse: Parse;
  readonly planner: Planner;
  readonly random: Random;
  readonly processes: ProcessProbe;
  readonly exchange: Exchange;
  readonly programs: Programs;
  readonly log: Log;
}
