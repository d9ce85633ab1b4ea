/**
 * From everything that was said, to one configuration or one error that lists every problem with where it came from
 * (CONTRACT §1). Precedence: option > environment > iptv-tunerr's environment > config file > default.
 */
import { CodedError } from '../domain/errors.js';
import { buildConfig, type ValueOf } from './build.js';
import type { Config } from './config.js';
import { crossCheck } from './crossCheck.js';
import { type FileSettings, type Problem, readSettings, type Setting } from './file.js';
import { schemaOf, type Surroundings } from './kinds.js';
import { readLaneDefinitions } from './laneDefinitions.js';
import { laneNames, type LaneDefinition } from '../domain/laneDefinition.js';
import { type ObjectLists, readObjects } from './objects.js';
import type { CommandName, Kind, OptionRow } from './optionRow.js';
import { envName, type OptionName, optionsOf, settableOptions } from './options.js';
import { absolutePath, folderOf } from './paths.js';
import { suggestion } from './suggest.js';

export interface ResolveInput {
  readonly command: CommandName;
  /** What stood on the command line, by option name. */
  readonly line: ReadonlyMap<string, readonly string[]>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute. */
  readonly cwd: string;
  /** Rejects with a Node-style `code` where there is nothing to read. */
  readonly readFile: (path: string) => Promise<string>;
  /** Permission bits of a file; unless given nobody looks who else may read a secret. */
  readonly modeOf?: (path: string) => Promise<number>;
  /** What was already found wrong on the command line; reported together with the rest. */
  readonly problems?: readonly Problem[];
}

export interface Resolved {
  readonly config: Config;
  /** The config file in use, or null. */
  readonly configFile: string | null;
  /** Names of the options that somebody gave, wherever. */
  readonly given: ReadonlySet<string>;
  /** Oddities that stop nothing. */
  readonly warnings: readonly string[];
}

/** One candidate for the value of an option. */
interface Candidate extends Setting {
  /** Smaller wins. */
  readonly rank: number;
  /** What its relative paths are relative to. */
  readonly base: string;
}

/** Commands that must work beside a daemon whose configuration has a fault elsewhere. */
const FORGIVING: ReadonlySet<CommandName> = new Set(['report', 'replay', 'health', 'demo']);

/** Rejects with CodedError `usage`; its detail is the whole list. */
export async function resolveConfig(input: ResolveInput): Promise<Resolved> {
  const problems: Problem[] = [...(input.problems ?? [])];
  const file = await readConfigFile(input, problems);
  const given = new Set<string>();
  const values = new Map<string, unknown>();
  const definitions = laneDefinitions(input, file, problems);
  const lanes = laneNames(definitions);

  for (const row of settableOptions()) {
    const applies = row.commands.includes(input.command);
    const candidate = applies ? candidateOf(row, input, file) : null;
    if (candidate) given.add(row.name);
    const fallback = row.defaults?.[input.command] ?? row.default;
    const standard: Candidate | null =
      fallback === undefined ? null : { texts: [fallback], origin: 'default', rank: 9, base: input.cwd };
    const chosen = candidate ?? standard;
    if (!chosen) continue;
    const read = await readValue(row, chosen, lanes, input.readFile);
    if (read.kind === 'value') values.set(row.name, read.value);
    else problems.push({ origin: chosen.origin, message: read.message });
  }
  const openSecrets = [...(await readSecretFiles(input, file, values, problems))];

  /** Undefined where nothing was given and nothing is the default. */
  function value<N extends OptionName>(name: N): ValueOf<N> | undefined {
    return values.get(name) as ValueOf<N> | undefined;
  }
  const lists = await readObjectLists(input, file, problems);
  openSecrets.push(...lists.warnings);
  const config = buildConfig(value, given, definitions, lists);
  if (!FORGIVING.has(input.command)) problems.push(...crossCheck(config));
  if (problems.length > 0) throw usageError(problems);
  const warnings = [...unknownVariables(input.env), ...openSecrets];
  return { config, configFile: file?.path ?? null, given, warnings };
}

/** One error for all of them. */
export function usageError(problems: readonly Problem[]): CodedError {
  const lines = problems.map((problem) =>
    problem.origin === '' ? problem.message : `${problem.origin}: ${problem.message}`,
  );
  const [first = ''] = lines;
  if (lines.length === 1) return new CodedError('usage', first);
  return new CodedError(
    'usage',
    [`${lines.length} problems`, ...lines.map((line) => `  ${line}`)].join('\n'),
  );
}

/** None where the file has a fault that this command forgives. */
function laneDefinitions(
  input: ResolveInput,
  file: ConfigFile | null,
  problems: Problem[],
): readonly LaneDefinition[] {
  const setting = file?.lists.get('lane-definitions');
  if (!setting) return [];
  const read = readLaneDefinitions(setting.value, setting.origin);
  if (!FORGIVING.has(input.command)) problems.push(...read.problems);
  return read.lanes;
}

interface ConfigFile {
  readonly path: string;
  readonly settings: ReadonlyMap<string, Setting>;
  readonly lists: FileSettings['lists'];
}

async function readConfigFile(input: ResolveInput, problems: Problem[]): Promise<ConfigFile | null> {
  const named = input.line.get('config')?.at(-1) ?? nonEmpty(input.env[envName('config')]);
  const path = absolutePath(input.cwd, named ?? 'catchupd.yaml');
  let text: string;
  try {
    text = await input.readFile(path);
  } catch (error) {
    if (named !== undefined || errorCode(error) !== 'ENOENT') {
      const origin = input.line.has('config') ? '--config' : envName('config');
      problems.push({
        origin: named === undefined ? '' : origin,
        message: `${path} cannot be read (${errorCode(error)})`,
      });
    }
    return null;
  }
  const read = readSettings(text, named ?? 'catchupd.yaml', input.env);
  if (!FORGIVING.has(input.command)) problems.push(...read.problems);
  return { path, lists: read.lists, settings: read.settings };
}

function candidateOf(row: OptionRow, input: ResolveInput, file: ConfigFile | null): Candidate | null {
  const typed = input.line.get(row.name);
  if (typed) return { texts: typed, origin: `--${row.name}`, rank: 0, base: input.cwd };
  const names = row.fallback === undefined ? [envName(row.name)] : [envName(row.name), row.fallback];
  for (const [index, name] of names.entries()) {
    const text = nonEmpty(input.env[name]);
    if (text === undefined) continue;
    const texts = row.kind === 'locations' ? splitLocations(text) : [text];
    return { texts, origin: name, rank: 1 + index, base: input.cwd };
  }
  const setting = file?.settings.get(row.name);
  return setting && file ? { ...setting, rank: 3, base: folderOf(file.path) } : null;
}

/** One a line; or by commas, where what follows begins like an address or path (an address may hold commas). */
function splitLocations(text: string): string[] {
  const entries = text.split(/\r?\n|,(?=\s*(?:https?:\/\/|\/|\.{1,2}\/))/i).map((entry) => entry.trim());
  return entries.filter((entry) => entry !== '');
}

type Read =
  { readonly kind: 'value'; readonly value: unknown } | { readonly kind: 'bad'; readonly message: string };

async function readValue(
  row: OptionRow,
  candidate: Candidate,
  lanes: Surroundings['lanes'],
  readFile: ResolveInput['readFile'],
): Promise<Read> {
  let texts = candidate.texts;
  if (row.kind === 'list' || row.kind === 'lanes') {
    const expanded = await expandFiles(texts, candidate.base, readFile);
    if (expanded.kind === 'bad') return expanded;
    texts = expanded.texts;
  }
  const result = schemaOf<Kind>(row, { base: candidate.base, lanes }).safeParse(texts);
  if (result.success) return { kind: 'value', value: result.data };
  return { kind: 'bad', message: result.error.issues.map((issue) => issue.message).join(', ') };
}

/** `@FILE` in a list is one entry a line; blank lines and those that begin with # are left out. */
async function expandFiles(
  texts: readonly string[],
  base: string,
  readFile: ResolveInput['readFile'],
): Promise<{ kind: 'texts'; texts: string[] } | { kind: 'bad'; message: string }> {
  const expanded: string[] = [];
  for (const entry of texts.flatMap((text) => text.split(',')).map((part) => part.trim())) {
    if (!entry.startsWith('@')) {
      expanded.push(entry);
      continue;
    }
    const path = absolutePath(base, entry.slice(1));
    try {
      const lines = (await readFile(path)).split(/\r?\n/).map((line) => line.trim());
      expanded.push(...lines.filter((line) => line !== '' && !line.startsWith('#')));
    } catch (error) {
      return { kind: 'bad', message: `${path} cannot be read (${errorCode(error)})` };
    }
  }
  return { kind: 'texts', texts: expanded };
}

/** A secret and its file may both be given; the stronger place wins, in the same place they contradict each other. */
async function readSecretFiles(
  input: ResolveInput,
  file: ConfigFile | null,
  values: Map<string, unknown>,
  problems: Problem[],
): Promise<readonly string[]> {
  const warnings: string[] = [];
  for (const row of optionsOf(input.command).filter((each) => each.kind === 'secret')) {
    const twin = { ...row, name: `${row.name}-file`, kind: 'path' } as const satisfies OptionRow;
    const own = candidateOf(row, input, file);
    const other = candidateOf(twin, input, file);
    const path = values.get(twin.name);
    if (!other || typeof path !== 'string') continue;
    if (own && own.rank < other.rank) continue;
    if (own && own.rank === other.rank) {
      problems.push({ origin: other.origin, message: `give either this or ${own.origin}` });
      continue;
    }
    try {
      const secret = (await input.readFile(path)).trim();
      if (secret === '') problems.push({ origin: other.origin, message: `${path} is empty` });
      else values.set(row.name, secret);
      warnings.push(...(await openToOthers(input, path)));
    } catch (error) {
      problems.push({ origin: other.origin, message: `${path} cannot be read (${errorCode(error)})` });
    }
  }
  return warnings;
}

/** A secret that everybody on this machine may read is one no longer. */
async function openToOthers({ modeOf }: ResolveInput, path: string): Promise<readonly string[]> {
  const mode = (await modeOf?.(path).catch(() => undefined)) ?? 0;
  if ((mode & 0o077) === 0) return [];
  const shown = (mode & 0o777).toString(8).padStart(4, '0');
  return [`${path} holds a secret and may be read by others (${shown}): chmod 600 it`];
}

async function readObjectLists(
  input: ResolveInput,
  file: ConfigFile | null,
  problems: Problem[],
): Promise<ObjectLists & { readonly warnings: readonly string[] }> {
  const warnings: string[] = [];
  const read = await readObjects(file?.lists ?? new Map(), {
    base: file ? folderOf(file.path) : input.cwd,
    async readSecret(path) {
      warnings.push(...(await openToOthers(input, path)));
      return (await input.readFile(path)).trim();
    },
  });
  if (!FORGIVING.has(input.command)) problems.push(...read.problems);
  return { ...read.lists, warnings };
}

/** Kubernetes and Docker put names of their own into the environment, so an unknown one stops nothing. */
function unknownVariables(env: ResolveInput['env']): string[] {
  const known = settableOptions().map((row) => envName(row.name));
  return Object.keys(env)
    .filter((name) => name.startsWith('CATCHUPD_') && !known.includes(name))
    .filter((name) => !/_SERVICE_(?:HOST|PORT)|_PORT(?:_|$)|^CATCHUPD_TEST_/.test(name))
    .map((name) => `${name} is not a setting${suggestion(name, known)}`);
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text.trim() === '' ? undefined : text;
}

function errorCode(error: unknown): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'unreadable';
}
