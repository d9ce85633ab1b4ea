#!/usr/bin/env node
/** The way in: words to a command, a command to an exit code (CONTRACT §1: 0 done, 1 failed, 2 used wrongly). */

import { readFile, stat } from 'node:fs/promises';
import { CodedError, ERRORS } from '../domain/errors.js';
import { redactText } from '../domain/redact.js';
import { openFilesMax } from '../io/openFiles.js';
import { createLog } from '../log.js';
import { leave } from './leave.js';
import { loadConfig, type LoadedCommand } from './load.js';
import { createScreen } from './screen.js';
import type { Session } from './session.js';
import { version } from './version.js';

async function main(): Promise<number> {
  const loaded = await loadConfig({
    argv: process.argv.slice(2),
    env: process.env,
    cwd: process.cwd(),
    readFile: (path) => readFile(path, 'utf8'),
    modeOf: async (path) => (await stat(path)).mode,
    openFilesMax: await openFilesMax(),
  });
  switch (loaded.kind) {
    case 'help':
      process.stdout.write(loaded.text);
      return 0;
    case 'version':
      process.stdout.write(`${await version()}\n`);
      return 0;
    case 'command':
      return command(loaded);
  }
}

async function command(loaded: LoadedCommand): Promise<number> {
  const { format, level } = loaded.config.log;
  const isTerminal = process.stderr.isTTY;
  const { NO_COLOR: noColour = '', TERM: kind } = process.env;
  const isDumb = kind === 'dumb';
  const isColoured = isTerminal && !isDumb && noColour === '';
  const screen =
    loaded.command === 'run' && isTerminal && !isDumb && format !== 'json'
      ? createScreen(process.stderr)
      : null;
  const log = createLog({ format, level, isTerminal, isColoured, ...(screen && { write: screen.write }) });
  for (const warning of loaded.warnings) log.warn(warning);
  const session: Session = { loaded, log, say: (text) => void process.stdout.write(text), screen };
  // Each loads what it needs, and no more than that.
  switch (loaded.command) {
    case 'run':
      return (await import('./run.js')).run(session);
    case 'record':
      return (await import('./recordCommand.js')).recordCommand(session);
    case 'capsules':
      return (await import('./capsulesCommand.js')).capsulesCommand(session);
    case 'launchers':
      return (await import('./launchersCommand.js')).launchersCommand(session);
    case 'plan':
      return (await import('./planCommand.js')).planCommand(session);
    case 'why':
      return (await import('./planCommand.js')).why(session);
    case 'keep':
    case 'unkeep':
    case 'cancel':
    case 'retry':
    case 'delete':
      return (await import('./recordingCommand.js')).recordingCommand(session, loaded.command);
    case 'report':
      return (await import('./report.js')).report(session);
    case 'rebuild':
      return (await import('./rebuildCommand.js')).rebuildCommand(session);
    case 'replay':
      return (await import('./replayCommand.js')).replayCommand(session);
    case 'doctor':
      return (await import('./doctor.js')).doctor(session);
    case 'health':
      return (await import('./health.js')).health(session);
    case 'demo':
      return (await import('./demoCommand.js')).demoCommand(session);
  }
}

/** So long a reader of the log has for what was said last. */
const LAST_WORDS_MS = 1_000;
/** And a disk to answer what it was asked last. */
const PATIENCE_MS = 500;

/** Expected failures name themselves and say what to do; anything else is a bug and keeps its stack. */
function explain(error: unknown): number {
  if (!(error instanceof CodedError)) {
    process.stderr.write(
      `catchupd: ${redactText(error instanceof Error ? (error.stack ?? error.message) : String(error))}\n`,
    );
    return 1;
  }
  const hint = error.code === 'usage' ? '' : `  ${ERRORS[error.code].hint}\n`;
  process.stderr.write(`catchupd: ${error.code}: ${redactText(error.detail)}\n${hint}`);
  return error.code === 'usage' ? 2 : 1;
}

// Whoever reads the answer may stop reading (`catchupd plan | head`).
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});
process.exitCode = await main().catch(explain);
// A log that nobody reads keeps no process alive that is done, nor does a disk that hangs.
setTimeout(() => {
  if (process.stdout.writableLength === 0) leave(Number(process.exitCode), PATIENCE_MS);
}, LAST_WORDS_MS).unref();
