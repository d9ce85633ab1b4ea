/**
 * The way in for commands where there is no HTTP door (or none that lets the caller in): a file in the daemon's private
 * folder, answered by another. Whoever may write there may steer the daemon, as with the state itself.
 *
 *   .catchupd/commands/UUID.json           {command, id, at}
 *   .catchupd/commands/UUID.answer.json    {ok: …} or {error: {code, detail}}
 */

import { join } from 'node:path';
import { COMMAND_VERBS, type CommandVerb } from '../domain/commands.js';
import { CodedError, ERRORS, type ErrorCode } from '../domain/errors.js';
import { pause, type Clock, type TimerHandle } from '../io/clock.js';
import { diskCode, type Disk } from '../io/disk.js';
import { replaceFile } from '../io/replaceFile.js';
import type { Log } from '../log.js';
import type { CommandAnswer } from './commands.js';

export interface CommandFilesDoors {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly log: Log;
}

type FiledAnswer =
  { readonly ok: CommandAnswer } | { readonly error: { readonly code: ErrorCode; readonly detail: string } };

const LOOK_MS = 500;
/** What nobody took in this time was for another life: acting on it now would surprise. */
const STALE_MS = 60_000;
const WAIT_MS_MAX = 15_000;
const REQUEST = /^[0-9a-f-]{36}\.json$/;

export function commandsFolder(privateFolder: string): string {
  return join(privateFolder, 'commands');
}

/** Looks for commands until it is told to stop. */
export function serveCommandFiles(
  doors: CommandFilesDoors,
  privateFolder: string,
  run: (verb: CommandVerb, id: string) => Promise<CommandAnswer>,
): { stop(): void } {
  const { disk, clock, log } = doors;
  const folder = commandsFolder(privateFolder);
  let stopped = false;
  let timer: TimerHandle = clock.after(LOOK_MS, () => void look());

  async function look(): Promise<void> {
    const names = await disk.readdir(folder).catch(() => []);
    for (const name of names.filter((each) => REQUEST.test(each)).toSorted()) {
      if (stopped) return;
      await serve(name).catch((error: unknown) =>
        log.warn({ path: join(folder, name), code: diskCode(error) }, 'a command could not be taken'),
      );
    }
    if (!stopped) timer = clock.after(LOOK_MS, () => void look());
  }

  async function serve(name: string): Promise<void> {
    const path = join(folder, name);
    const asked = parseRequest((await disk.readFile(path)).toString());
    await disk.unlink(path);
    if (asked === null || Math.abs(clock.now() - asked.at) > STALE_MS)
      return log.warn({ path }, 'a command that makes no sense, or is too old, was dropped');
    const answer = await run(asked.command, asked.id).then(
      (ok): FiledAnswer => ({ ok }),
      (error: unknown): FiledAnswer => {
        if (!(error instanceof CodedError)) log.error({ error: String(error) }, 'a bug');
        return { error: errorOf(error) };
      },
    );
    await replaceFile(disk, answerPath(path), `${JSON.stringify(answer)}\n`, { sync: false });
  }

  return {
    stop() {
      stopped = true;
      timer.cancel();
    },
  };
}

/** Asks the daemon that works on the folder. Throws CodedError: its own, or `daemon_silent`. */
export async function commandByFile(
  { disk, clock }: Omit<CommandFilesDoors, 'log'>,
  privateFolder: string,
  ask: { readonly uuid: string; readonly command: CommandVerb; readonly id: string },
): Promise<CommandAnswer> {
  const folder = commandsFolder(privateFolder);
  const path = join(folder, `${ask.uuid}.json`);
  try {
    await disk.mkdir(folder, 0o700);
    const request = { command: ask.command, id: ask.id, at: clock.now() };
    await replaceFile(disk, path, `${JSON.stringify(request)}\n`, { sync: false, mode: 0o600 });
  } catch (error) {
    throw new CodedError('folder_unwritable', `${folder} (${diskCode(error)})`);
  }
  const until = clock.mono() + WAIT_MS_MAX;
  while (clock.mono() < until) {
    await pause(clock, LOOK_MS / 5);
    const text = await disk.readFile(answerPath(path)).catch(() => null);
    if (text === null) continue;
    await disk.unlink(answerPath(path)).catch(() => undefined);
    const answer = JSON.parse(text.toString()) as FiledAnswer;
    if ('ok' in answer) return answer.ok;
    throw new CodedError(answer.error.code, answer.error.detail);
  }
  await disk.unlink(path).catch(() => undefined);
  throw new CodedError('daemon_silent', folder);
}

function answerPath(request: string): string {
  return request.replace(/\.json$/, '.answer.json');
}

function parseRequest(text: string): { command: CommandVerb; id: string; at: number } | null {
  try {
    const { command, id, at } = JSON.parse(text) as Record<string, unknown>;
    const verb = COMMAND_VERBS.find((each) => each === command);
    return verb && typeof id === 'string' && typeof at === 'number' ? { command: verb, id, at } : null;
  } catch {
    return null;
  }
}

function errorOf(error: unknown): { code: ErrorCode; detail: string } {
  if (error instanceof CodedError) return { code: error.code, detail: error.detail };
  return { code: 'bug', detail: ERRORS.bug.meaning };
}
