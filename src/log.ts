/**
 * The one logger: pino on stderr, written at once, so that the last line before an end is not lost. Every line is
 * searched for credentials on its way out, whatever part of the program made it (CONTRACT §3: URLs are shown without
 * them in every output and log).
 */
import { pino, stdTimeFunctions, type DestinationStream, type Logger, type LoggerOptions } from 'pino';
import { prettyFactory } from 'pino-pretty';
import { redactText } from './domain/redact.js';

export type Log = Logger;

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
  const write = options.write ?? stderrWriter();
  const pretty = format === 'pretty' || (format === 'auto' && isTerminal);
  return pino(settings(level), pretty ? prettyStream(write, isColoured) : { write });
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

function stderrWriter(): (line: string) => void {
  const stream = pino.destination({ fd: 2, sync: true });
  // Nobody reads stderr any more (a closed pipe): recording goes on without it.
  stream.on('error', () => undefined);
  return (line) => {
    stream.write(line);
  };
}
