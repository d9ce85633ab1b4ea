/**
 * Makes one spelling of the many that are allowed, before anything is parsed (CONTRACT §1): one dash or two, `--x v` or
 * `--x=v`, and for switches `--x`, `--x=false`, `--no-x`. What does not fit is collected, not thrown, so that one error
 * can list it all.
 */
import type { Problem } from '../config/file.js';
import type { CommandName, OptionRow } from '../config/optionRow.js';
import { optionsOf, settableOptions } from '../config/options.js';
import { suggestion } from '../config/suggest.js';
import { commandWords, findCommand } from './commands.js';

export interface Arguments {
  /** Null where it is missing or unknown; `problems` says so. */
  readonly command: CommandName | null;
  /** Every option as `--name=value`, in order. */
  readonly options: readonly string[];
  readonly positionals: readonly string[];
  /** Asked with `-h`, `--help` or `help`. */
  readonly help: boolean;
  readonly problems: readonly Problem[];
}

/** `argv` without node and the script. */
export function normaliseArguments(argv: readonly string[]): Arguments {
  const { word, rest } = takeCommand(argv);
  const problems: Problem[] = [];
  const command = commandNamed(word, rest, problems);
  const takesWords = command === null || findCommand(command)?.argument !== undefined;
  const rows = new Map(
    (command === null ? settableOptions() : optionsOf(command)).map((row) => [row.name, row]),
  );
  const options: string[] = [];
  const positionals: string[] = [];
  let help = false;
  let version = false;

  for (let index = 0; index < rest.length; index += 1) {
    const token = rest[index] ?? '';
    if (token === '--') {
      positionals.push(...rest.slice(index + 1));
      break;
    }
    if (!isOption(token)) {
      positionals.push(token);
      continue;
    }
    const { name, value } = split(token);
    if (name === 'help' || name === 'h') help = true;
    else if (name === 'version' || name === 'V') version = true;
    else {
      const read = readOption(name, value, rest[index + 1], rows, takesWords);
      if (read.kind === 'bad') problems.push(...explained(name, read.message, command, word));
      else options.push(`--${read.name}=${read.value}`);
      if (read.tookNext) index += 1;
    }
  }
  return { command: version ? 'version' : command, options, positionals, help, problems };
}

/** The command may stand behind options; their values are not taken for it. */
function takeCommand(argv: readonly string[]): { word: string | null; rest: string[] } {
  const rows = new Map(settableOptions().map((row) => [row.name, row]));
  for (let index = 0; index < argv.length; index += 1) {
    const token = argv[index] ?? '';
    if (token === '--') break;
    if (!isOption(token)) return { word: token, rest: argv.toSpliced(index, 1) };
    const { name, value } = split(token);
    const row = rows.get(name);
    if (value === null && row && row.kind !== 'flag') index += 1;
  }
  return { word: null, rest: [...argv] };
}

function commandNamed(word: string | null, rest: readonly string[], problems: Problem[]): CommandName | null {
  if (word === null) {
    const asksOnly = rest.every((token) =>
      ['-h', '-help', '--help', '-V', '-version', '--version'].includes(token),
    );
    if (asksOnly) return 'help';
    problems.push({ origin: '', message: 'no command; most likely you want "catchupd run"' });
    return null;
  }
  const row = findCommand(word);
  if (row) return row.name;
  problems.push({ origin: '', message: `unknown command "${word}"${suggestion(word, commandWords())}` });
  return null;
}

type ReadOption =
  | { readonly kind: 'ok'; readonly name: string; readonly value: string; readonly tookNext: boolean }
  | { readonly kind: 'bad'; readonly message: string; readonly tookNext: boolean };

function readOption(
  name: string,
  value: string | null,
  next: string | undefined,
  rows: ReadonlyMap<string, OptionRow>,
  takesWords: boolean,
): ReadOption {
  const row = rows.get(name);
  const negated = name.startsWith('no-') ? rows.get(name.slice(3)) : undefined;
  if (!row && negated?.kind === 'flag') {
    if (value === null) return { kind: 'ok', name: negated.name, value: 'false', tookNext: false };
    return { kind: 'bad', message: `takes no value; write --${negated.name}=${value}`, tookNext: false };
  }
  if (!row)
    return { kind: 'bad', message: '', tookNext: value === null && takesValue(name, next, takesWords) };
  if (value !== null) return { kind: 'ok', name: row.name, value, tookNext: false };
  if (row.kind === 'flag') return { kind: 'ok', name: row.name, value: 'true', tookNext: false };
  if (next === undefined || next === '--' || (isOption(next) && rows.has(split(next).name))) {
    return { kind: 'bad', message: 'needs a value', tookNext: false };
  }
  return { kind: 'ok', name: row.name, value: next, tookNext: true };
}

/** Of an option that is not known to this command: the word behind it is its value, not one problem more. */
function takesValue(name: string, next: string | undefined, takesWords: boolean): boolean {
  if (next === undefined || isOption(next)) return false;
  const elsewhere = settableOptions().find((row) => row.name === name);
  return elsewhere ? elsewhere.kind !== 'flag' : !takesWords;
}

function explained(
  name: string,
  message: string,
  command: CommandName | null,
  word: string | null,
): Problem[] {
  const origin = `--${name}`;
  if (message !== '') return [{ origin, message }];
  // Which options there are cannot be said of a command that is itself unknown.
  if (command === null) return [];
  const known = optionsOf(command).map((row) => row.name);
  if (settableOptions().some((row) => row.name === name)) {
    return [{ origin, message: `is no option of ${word ?? command}` }];
  }
  return [{ origin, message: `unknown option${suggestion(name, known, '--')}` }];
}

/** `-` alone and negative numbers are values. */
function isOption(token: string): boolean {
  return /^--?[a-zA-Z]/.test(token);
}

/** One dash or two, with or without `=value`. Names are taken in lower case, single letters as they are. */
function split(token: string): { name: string; value: string | null } {
  const bare = token.replace(/^--?/, '');
  const at = bare.indexOf('=');
  const name = at < 0 ? bare : bare.slice(0, at);
  return { name: name.length > 1 ? name.toLowerCase() : name, value: at < 0 ? null : bare.slice(at + 1) };
}
