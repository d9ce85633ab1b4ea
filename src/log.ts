/**
 * The one logger: pino on stderr, written at once, so that the last line before an end is not lost; a reader that stops
 * reading holds nothing up (P8). Every line is
 * searched for credentials on its way out, whatever part of the program made it (CONTRACT §3: URLs are shown without
 * them in every output and log).
 */
import type { Writable } from 'node:stream';
import { pino, stdTimeFunctions, type DestinationStream, type Logger, type LoggerOptions } from 'pino';
import { prettyFactory } from 'pino-pretty';
import { redactText } from './domain/redact.js';

export type Log = Logger;

/** So much may wait for whoever reads stderr. */
const UNREAD_BYTES_MAX = 2 ** 20;

export interface LogOptions {
  readonly format: 'auto' | 'pretty' | 'json';
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  /** Whether stderr is one: decides `auto`, and colours. */
  readonly isTerminal: boolean;
  /** False where the terminal shall not be coloured (NO_COLOR). */
  readonly isColoured?: boolean;
  /** Where finished lines go; stderr unless given. */
  readonly write?: (line: string) => void;
}

export function createLog(options: LogOptions): Log {
  const { format, level, isTerminal, isColoured = isTerminal } = options;
  const write =
    options.write ??
    patientWriter(process.stderr, (lines) =>
      log.warn({ lines }, 'whoever reads the log had stopped reading; so many lines of it are lost'),
    );
  const pretty = format === 'pretty' || (format === 'auto' && isTerminal);
  const log = pino(settings(level), pretty ? prettyStream(write, isColoured) : { write });
  return log;
}

/** For tests and for commands that only answer. */
export const silentLog: Log = pino({ level: 'silent' });

function settings(level: LogOptions['level']): LoggerOptions {
  return {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    hooks: { streamWrite: redactText },
  };
}

/** In this thread and synchronous: a worker would lose lines at a crash, which is when they matter. */
function prettyStream(write: (line: string) => void, colorize: boolean): DestinationStream {
  const format = prettyFactory({ colorize, translateTime: 'SYS:HH:MM:ss.l', ignore: 'pid,hostname' });
  return {
    write(line: string) {
      write(format(line));
    },
  };
}

/**
 * Onto a pipe or socket at once where there is room, else as soon as there is; what would fill the memory meanwhile is
 * left out, and `onLost` is told how many lines once there is room again. Files and terminals take everything at once.
 */
export function patientWriter(stream: Writable, onLost: (lines: number) => void): (line: string) => void {
  let lost = 0;
  // Nobody reads it any more (a closed pipe): recording goes on without it.
  stream.on('error', () => undefined);
  stream.on('drain', () => {
    const lines = lost;
    lost = 0;
    if (lines > 0) onLost(lines);
  });
  return (line) => {
    if (stream.writableLength > UNREAD_BYTES_MAX) lost++;
    else stream.write(line);
  };
}
