/** A survey for a command, in a temporary folder that goes with it. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { survey, type Survey } from '../runtime/survey.js';
import { closeDoors, openDoors, type Session } from './session.js';
import { chooseSource } from './sourceChoice.js';
import { CodedError } from '../domain/errors.js';
import type { Doors } from '../runtime/doors.js';

/** Throws CodedError `usage` where no source is configured. */
export async function withSurvey<T>(
  session: Session,
  use: (found: Survey, doors: Doors) => Promise<T> | T,
): Promise<T> {
  const { loaded, log } = session;
  if (chooseSource(loaded, { env: process.env, stateOfRealSources: true }) === 'demo')
    throw new CodedError('usage', 'no source: give --m3u, --xtream or --catalog');
  const folder = await mkdtemp(join(tmpdir(), 'catchupd-'));
  const doors = openDoors(log);
  try {
    return await use(await survey(loaded.config, doors, folder), doors);
  } finally {
    await closeDoors(doors);
    await rm(folder, { recursive: true, force: true });
  }
}
