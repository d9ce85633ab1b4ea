/**
 * `keep unkeep cancel retry delete ID`: through the running daemon, by HTTP where it listens and lets us in, else by a
 * file in its folder; on the store where no daemon runs.
 */

import { join } from 'node:path';
import type { Config } from '../config/config.js';
import { isLoopback } from '../domain/address.js';
import type { CommandVerb } from '../domain/commands.js';
import { CodedError, ERRORS, type ErrorCode } from '../domain/errors.js';
import { systemClock } from '../io/clock.js';
import { nodeDisk } from '../io/nodeDisk.js';
import { commandByFile } from '../runtime/commandFiles.js';
import type { CommandAnswer } from '../runtime/commands.js';
import type { Doors } from '../runtime/doors.js';
import { commandOnStore } from '../runtime/storedCommands.js';
import { readHeartbeat } from '../store/lock.js';
import { BEAT_MS_MAX } from './health.js';
import { closeDoors, openDoors, type Session } from './session.js';

const HTTP_MS_MAX = 15_000;
/** What says that the door does not know us, not that the command is wrong. */
const NOT_LET_IN: ReadonlySet<string> = new Set([
  'token_missing',
  'token_wrong',
  'host_unknown',
  'forwarded',
]);

export async function recordingCommand({ loaded, log, say }: Session, verb: CommandVerb): Promise<number> {
  const doors = openDoors(log);
  try {
    const id = loaded.args[0] ?? '';
    const answer = await carryOut(loaded.config, doors, verb, id);
    if (loaded.answer.format === 'json') say(`${JSON.stringify(answer, null, 2)}\n`);
    else say(`${sentence(answer)}\n`);
    return 0;
  } finally {
    await closeDoors(doors);
  }
}

async function carryOut(config: Config, doors: Doors, verb: CommandVerb, id: string): Promise<CommandAnswer> {
  const folder = join(config.places.outDir, '.catchupd');
  const beat = await readHeartbeat(nodeDisk, folder).catch(() => null);
  if (beat === null || Math.abs(systemClock.now() - beat.at) > BEAT_MS_MAX)
    return commandOnStore(config, doors, verb, id);
  const answered = beat.listen === null ? null : await byHttp(config, beat.listen, verb, id);
  if (answered !== null) return answered;
  return commandByFile(doors, folder, { uuid: doors.random.uuid(), command: verb, id });
}

/** Null where that door is closed to us. */
async function byHttp(
  config: Config,
  listen: string,
  verb: CommandVerb,
  id: string,
): Promise<CommandAnswer | null> {
  const base = new URL(listen);
  // A listener on every address is reached on this machine's own.
  if (['0.0.0.0', '[::]'].includes(base.hostname)) base.hostname = '127.0.0.1';
  const { apiToken } = config.doors;
  if (apiToken === null && !isLoopback(base.hostname.replace(/^\[|\]$/g, ''))) return null;
  try {
    const response = await fetch(new URL(`/api/recordings/${encodeURIComponent(id)}/${verb}`, base), {
      method: 'POST',
      headers: apiToken === null ? {} : { authorization: `Bearer ${apiToken}` },
      signal: AbortSignal.timeout(HTTP_MS_MAX),
    });
    const body = (await response.json()) as CommandAnswer & { error?: { code: string; message: string } };
    if (response.ok) return body;
    const code = body.error?.code ?? '';
    if (!(code in ERRORS) || NOT_LET_IN.has(code)) return null;
    throw new CodedError(code as ErrorCode, detailOf(code as ErrorCode, body.error?.message ?? ''));
  } catch (error) {
    if (error instanceof CodedError) throw error;
    return null;
  }
}

/** The answer's message begins with the meaning, which the command line does not repeat. */
function detailOf(code: ErrorCode, message: string): string {
  const { meaning } = ERRORS[code];
  return message.startsWith(`${meaning} `) ? message.slice(meaning.length + 1) : message;
}

const DID: Readonly<Record<CommandVerb, string>> = {
  keep: 'is kept until `unkeep`',
  unkeep: 'goes when its time is over',
  cancel: 'is cancelled',
  retry: 'is tried (again)',
  delete: 'is deleted',
};

function sentence({ command, id, changed, recording }: CommandAnswer): string {
  const title = recording === null ? '' : ` (${recording.title})`;
  const going = command === 'delete' && recording !== null ? 'is being deleted' : DID[command];
  return `${id}${title} ${going}${changed ? '' : '; it was so already'}`;
}
