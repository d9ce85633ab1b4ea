/** One storm as a process of its own: `node stormProgram.js SEED HOURS SLOTS SLOW` (1: with slow disks) prints what came of it as JSON. */
import { simulate, told } from './simulation.js';

export interface Survived {
  readonly findings: readonly string[];
  /** How many kinds of faults there were. */
  readonly kinds: number;
  /** For a person. */
  readonly told: string;
}

const [seed = 101, hours = 6, slots = 3, slow = 0] = process.argv.slice(2).map(Number);
const ran = await simulate({ seed, hours, slots, slowDisk: slow === 1 });
const survived: Survived = { findings: ran.findings, kinds: ran.faults.size, told: told(ran) };
process.stdout.write(JSON.stringify(survived));
