import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { built } from '../e2e/built.js';
import type { Survived } from './stormProgram.js';

/**
 * Hours of storm for each seed: whole days where the suite runs as CI, else the first quarter of each;
 * `CATCHUPD_SIM_HOURS` for any other length. A seed lives the same life however long it is.
 */
export const HOURS = Number(process.env['CATCHUPD_SIM_HOURS'] ?? (process.env['CI'] === undefined ? 6 : 24));
/** Nobody waits so long on a machine that has nothing else to do. */
export const STORM_MS_MAX = 1_800_000;
/** Whatever else a seed decides, so many kinds of faults have come to pass. */
export const KINDS_MIN = 12;
/** A storm makes much that is forgotten at once: fewer and cheaper collections, on its own processor. */
const FLAGS = ['--single-threaded-gc', '--max-semi-space-size=16', '--min-semi-space-size=16'];

/**
 * A storm from one seed, and what was found in it. It runs as what is shipped would, without a test runner around it,
 * which takes half the time. What failed is lived again by the words that it says.
 */
export async function storm(
  seed: number,
  hours: number,
  { slots = 3, slowDisk = false } = {},
): Promise<Survived> {
  const words = [...FLAGS, built().storm, ...[seed, hours, slots, Number(slowDisk)].map(String)];
  const { stdout } = await promisify(execFile)(process.execPath, words, { maxBuffer: 2 ** 26 });
  const survived = JSON.parse(stdout) as Survived;
  // oxlint-disable-next-line no-console -- what happened is for a person
  console.info(survived.told);
  return survived;
}
