/**
 * From the words of a command line to what is to be done: the way in of every command, and of SIGHUP, which reads the
 * same words again. Nothing is started or written before this has succeeded (CONTRACT §1).
 */
import type { Config } from '../config/config.js';
import type { Problem } from '../config/file.js';
import type { CommandName } from '../config/optionRow.js';
import { REBUILD_FORCE, REPLAY_ID, REPORT_LIMIT } from '../config/optionTable.js';
import { resolveConfig, usageError } from '../config/resolve.js';
import { schemaOf } from '../config/kinds.js';
import { withinOpenFiles } from '../config/openFiles.js';
import { absolutePath } from '../config/paths.js';
import { suggestion } from '../config/suggest.js';
import { COMMAND_VERBS } from '../domain/commands.js';
import { normaliseArguments, type Arguments } from './arguments.js';
import { commandWords, findCommand } from './commands.js';
import { commanderMessage, helpText, parseLine, type Parsed } from './program.js';

export interface LoadInput {
  /** Without node and the script. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute. */
  readonly cwd: string;
  /** Rejects with a Node-style `code` (ENOENT) where nothing is there. */
  readonly readFile: (path: string) => Promise<string>;
  /** Permission bits of a file. */
  readonly modeOf?: (path: string) => Promise<number>;
  /** That this process may have open; as many as it likes unless given. */
  readonly openFilesMax?: number;
}

export interface Answer {
  readonly format: 'json' | 'table';
  /** Items a list of `report`; 0 is all. */
  readonly limit: number;
  /** `plan --deletions` */
  readonly deletions: boolean;
  /** Absolute paths of `capsules --out` and `--layout-dir`, or null. */
  readonly out: string | null;
  readonly layoutDir: string | null;
  /** Of `replay`: the beginning of an id, or null for all. */
  readonly id: string | null;
  /** Of `rebuild`. */
  readonly force: boolean;
}

export interface LoadedCommand {
  readonly kind: 'command';
  readonly command: Exclude<CommandName, 'help' | 'version'>;
  readonly args: readonly string[];
  readonly config: Config;
  readonly answer: Answer;
  readonly configFile: string | null;
  /** Options that somebody gave, wherever. */
  readonly given: ReadonlySet<string>;
  readonly warnings: readonly string[];
}

export type Loaded =
  LoadedCommand | { readonly kind: 'help'; readonly text: string } | { readonly kind: 'version' };

/** Commands whose answer is a table unless they are told otherwise. */
const TABLES: ReadonlySet<CommandName> = new Set([
  'plan',
  'why',
  'replay',
  'rebuild',
  'doctor',
  'health',
  'record',
  'demo',
  ...COMMAND_VERBS,
]);

/** Rejects with CodedError `usage` (exit 2), listing every problem. */
export async function loadConfig(input: LoadInput): Promise<Loaded> {
  const words = normaliseArguments(input.argv);
  const { command, positionals } = words;
  const problems: Problem[] = [...words.problems];
  if (command === null) throw usageError(problems);
  if (words.help && problems.length === 0)
    return { kind: 'help', text: helpText(command === 'help' ? null : command) };
  const parsed = parsedLine(command, words, problems);
  if (command === 'help' || command === 'version') {
    const about = command === 'help' ? helpAbout(positionals, problems) : null;
    if (problems.length > 0) throw usageError(problems);
    return command === 'version' ? { kind: 'version' } : { kind: 'help', text: helpText(about) };
  }
  const answer = answerOf(command, parsed, input.cwd, problems);
  const resolved = await resolveConfig({ ...input, command, line: parsed.line, problems });
  const { config, warning } = withinOpenFiles(resolved.config, input.openFilesMax ?? Infinity);
  const warnings = warning === null ? resolved.warnings : [...resolved.warnings, warning];
  return { kind: 'command', command, args: parsed.args, answer, ...resolved, config, warnings };
}

function parsedLine(command: CommandName, words: Arguments, problems: Problem[]): Parsed {
  try {
    return parseLine(command, words.options, words.positionals);
  } catch (error) {
    const message = commanderMessage(error);
    if (message === null) throw error;
    const row = findCommand(command);
    problems.push({ origin: '', message: row?.argument === undefined ? strayWords(words) : message });
    // Options are still looked at, so that one error lists everything.
    const filler = row?.argument?.startsWith('<') ? ['-'] : [];
    return parseLine(command, words.options, filler);
  }
}

/** Of a command that takes none. */
function strayWords({ command, positionals }: Arguments): string {
  const hint = positionals.some((word) => ['true', 'false'].includes(word.toLowerCase()))
    ? '; a switch is written --x, --x=false or --no-x'
    : '';
  return `"${positionals.join(' ')}" is one word too many: ${command} takes options alone${hint}`;
}

function helpAbout(positionals: readonly string[], problems: Problem[]): CommandName | null {
  const [word] = positionals;
  if (word === undefined) return null;
  const row = findCommand(word);
  if (!row)
    problems.push({ origin: '', message: `unknown command "${word}"${suggestion(word, commandWords())}` });
  return row?.name ?? null;
}

function answerOf(command: CommandName, parsed: Parsed, cwd: string, problems: Problem[]): Answer {
  const flag = (name: string) => {
    const texts = parsed.line.get(name);
    if (!texts) return null;
    const row = { name, kind: 'flag', group: 'answer', commands: [], description: '' } as const;
    const read = schemaOf(row).safeParse(texts);
    if (read.success) return read.data;
    problems.push({ origin: `--${name}`, message: read.error.issues[0]?.message ?? 'is not understood' });
    return null;
  };
  const json = flag('json');
  const table = flag('table');
  if (json === true && table === true) problems.push({ origin: '--json', message: 'contradicts --table' });
  const byDefault = TABLES.has(command) ? 'table' : 'json';
  const format =
    json === true || table === false ? 'json' : table === true || json === false ? 'table' : byDefault;
  const path = (name: string) => {
    const typed = parsed.line.get(name)?.at(-1);
    return typed === undefined ? null : absolutePath(cwd, typed);
  };
  return {
    format,
    limit: limitOf(command, parsed, problems),
    deletions: flag('deletions') ?? false,
    out: path('out'),
    layoutDir: path('layout-dir'),
    id: parsed.line.get(REPLAY_ID.name)?.at(-1)?.trim().toLowerCase() ?? null,
    force: flag(REBUILD_FORCE.name) === true,
  };
}

function limitOf(command: CommandName, parsed: Parsed, problems: Problem[]): number {
  if (command !== 'report') return 0;
  const read = schemaOf(REPORT_LIMIT).safeParse(parsed.line.get('limit') ?? [REPORT_LIMIT.default]);
  if (read.success) return read.data;
  problems.push({ origin: '--limit', message: read.error.issues[0]?.message ?? 'is not understood' });
  return 0;
}
