/** `health`: whether the daemon on this folder is alive, by its heartbeat; for containers, which ask every half minute. */

import { join } from 'node:path';
import { systemClock } from '../io/clock.js';
import { nodeDisk } from '../io/nodeDisk.js';
import { readHeartbeat } from '../store/lock.js';
import type { Session } from './session.js';

/** Four beats late is not alive. */
export const BEAT_MS_MAX = 20_000;

export async function health({ loaded, say }: Session): Promise<number> {
  const folder = join(loaded.config.places.outDir, '.catchupd');
  const beat = await readHeartbeat(nodeDisk, folder).catch(() => null);
  const ageMs = beat === null ? null : systemClock.now() - beat.at;
  const alive = ageMs !== null && Math.abs(ageMs) <= BEAT_MS_MAX;
  const answer = { alive, age_seconds: ageMs === null ? null : ageMs / 1000, listen: beat?.listen ?? null };
  if (loaded.answer.format === 'json') say(`${JSON.stringify(answer)}\n`);
  else if (beat === null) say(`no daemon works on ${loaded.config.places.outDir}\n`);
  else say(`${alive ? 'alive' : 'silent'}: last heartbeat ${Math.round((ageMs ?? 0) / 1000)} s ago\n`);
  return alive ? 0 : 1;
}
