/**
 * `doctor`: looks at everything that a recording needs before it is needed: configuration, folders, disk, state,
 * sources, and whether lists and guides know each other. Says what to do next; exit 1 where something fails.
 */

import { access, constants, realpath } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { Config } from '../config/config.js';
import { CodedError, ERRORS, type ErrorCode } from '../domain/errors.js';
import { floorBytes } from '../domain/floor.js';
import type { GateCounts } from '../domain/gate.js';
import { diskCode, exists } from '../io/disk.js';
import { nodeDisk } from '../io/nodeDisk.js';
import { systemClock } from '../io/clock.js';
import { undiciExchange } from '../io/undiciExchange.js';
import { shownLocation } from '../guide/fetchSource.js';
import { levelOf, rateOf } from '../runtime/leveling.js';
import type { SourceFinding, Survey } from '../runtime/survey.js';
import { readLock } from '../store/lock.js';
import { lastNumbers, readHistory } from '../store/historyFiles.js';
import { parseRules } from '../store/rules.js';
import { readSecrets, secretsPath } from '../store/secrets.js';
import { openStore } from '../store/store.js';
import type { Session } from './session.js';
import { historyFolder } from './replayCommand.js';
import { checkServers } from './serverChecks.js';
import { sourceAdvice } from './sourceAdvice.js';
import { localTime, table } from './table.js';
import { withSurvey } from './withSurvey.js';

interface Check {
  readonly check: string;
  readonly ok: boolean;
  readonly detail: string;
  /** What to do, where it failed or could be better; else ''. */
  readonly next: string;
}

export async function doctor(session: Session): Promise<number> {
  const { loaded, say } = session;
  const { config } = loaded;
  const checks: Check[] = [
    passed('configuration', loaded.configFile ?? 'options and environment'),
    ...(await folderChecks(config)),
    await stateCheck(session),
    ...(await rulesCheck(config)),
    ...(await withSurvey(session, (found) => sourceChecks(found, config))),
    ...(await serverChecks(config)),
  ];
  const failed = checks.filter(({ ok }) => !ok);
  if (loaded.answer.format === 'json')
    say(`${JSON.stringify({ ok: failed.length === 0, checks }, null, 2)}\n`);
  else {
    say(
      table(
        ['', 'check', 'found'],
        checks.map(({ check, ok, detail }) => [ok ? 'ok' : 'FAIL', check, detail]),
      ),
    );
    for (const { check, next } of checks) if (next !== '') say(`\n${check}: ${next}\n`);
    if (failed.length === 0) say('\nAll is well: `catchupd run` with the same options starts recording.\n');
  }
  return failed.length === 0 ? 0 : 1;
}

function passed(check: string, detail: string): Check {
  return { check, ok: true, detail, next: '' };
}

function failure(check: string, code: ErrorCode, detail: string): Check {
  return { check, ok: false, detail: `${code}: ${detail}`, next: ERRORS[code].hint };
}

async function folderChecks(config: Config): Promise<Check[]> {
  const { outDir, publishDir } = config.places;
  const named = [
    { check: 'out-dir', path: outDir },
    ...(publishDir === null ? [] : [{ check: 'publish-dir', path: publishDir }]),
  ];
  const checks: Check[] = [];
  for (const { check, path } of named) checks.push(await folderCheck(config, check, path));
  return checks;
}

async function folderCheck(config: Config, check: string, path: string): Promise<Check> {
  const there = await nearest(path);
  try {
    await access(there, constants.W_OK | constants.X_OK);
  } catch (error) {
    return failure(check, 'folder_unwritable', `${path} (${diskCode(error)})`);
  }
  const { freeBytes, totalBytes } = await nodeDisk.space(there);
  const floor = floorBytes(config.keep.diskFreeMin, totalBytes);
  const free = `${gib(freeBytes)} free of ${gib(totalBytes)}, ${gib(floor)} stay free`;
  if (freeBytes < floor) return failure(check, 'disk_full', `${path}: ${free}`);
  const real = join(await realpath(there).catch(() => there), relative(there, path));
  return passed(check, `${real}${there === path ? '' : ' (to be made)'}: ${free}`);
}

/** The folder itself, or the closest one above it that exists. */
async function nearest(path: string): Promise<string> {
  let there = path;
  while (!(await exists(nodeDisk, there).catch(() => false)) && dirname(there) !== there)
    there = dirname(there);
  return there;
}

function gib(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}

async function serverChecks(config: Config): Promise<Check[]> {
  const findings = await checkServers(config, { exchange: undiciExchange(systemClock) });
  return findings.map(({ name, detail, problem }) =>
    problem ? failure(name, problem.code, problem.detail) : passed(name, detail),
  );
}

async function stateCheck({ loaded, log }: Session): Promise<Check> {
  const { stateFile, outDir } = loaded.config.places;
  const check = 'state';
  if (!(await exists(nodeDisk, stateFile).catch(() => false)))
    return passed(check, `${stateFile} (to be made)`);
  try {
    // Before the state: a daemon may be writing both.
    const { line: told } = await lastNumbers(nodeDisk, await historyFolder(stateFile, outDir));
    const store = await openStore({
      disk: nodeDisk,
      clock: systemClock,
      log,
      statePath: stateFile,
      readOnly: true,
      told,
    });
    const damage = [...store.status().damage, ...(await damageBeside(stateFile, outDir))];
    const holder = await readLock(nodeDisk, join(outDir, '.catchupd')).catch(() => null);
    const found = `${store.recordings().size} recordings, ${store.tombstones().size} remembered`;
    if (damage.length > 0) return failure(check, 'state_unreadable', damage.join('; '));
    return passed(check, `${found}${holder ? `, held by process ${holder.pid} on ${holder.host}` : ''}`);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return failure(check, error.code, error.detail);
  }
}

/** What a start would say of history and last good lists. */
async function damageBeside(stateFile: string, outDir: string): Promise<string[]> {
  const history = await readHistory(nodeDisk, await historyFolder(stateFile, outDir));
  const privateFolder = join(outDir, '.catchupd');
  const lists = await readSecrets(nodeDisk, privateFolder).then(
    ({ damaged }) => (damaged ? ['the last good lists are damaged'] : []),
    (error: unknown) => [`it cannot be read (${diskCode(error)})`],
  );
  return [
    ...history.damage.map(({ path, what }) => `${path}: ${what}`),
    ...lists.map((what) => `${secretsPath(privateFolder)}: ${what}`),
  ];
}

/** What cannot be read records nothing, so a plan without it would be no answer. */
async function rulesCheck({ what: { rulesFile } }: Config): Promise<Check[]> {
  if (rulesFile === null) return [];
  const check = 'rules';
  try {
    const rules = parseRules((await nodeDisk.readFile(rulesFile)).toString(), rulesFile);
    return [passed(check, `${rulesFile}: ${rules.length} enabled`)];
  } catch (error) {
    const detail = error instanceof CodedError ? error.detail : `${rulesFile} (${diskCode(error)})`;
    return [failure(check, 'rules_unreadable', detail)];
  }
}

function sourceChecks(found: Survey, config: Config): Check[] {
  const { what } = config;
  const advice = sourceAdvice(found, what).map((each) => ({ ...each, ok: true }));
  return [
    ...found.findings.map((each) => sourceCheck(each, found.at)),
    ...linkChecks(found),
    ...advice,
    levelCheck(found, config),
  ];
}

/** An estimate; whether it fits is for a person to see beside the disk's own line. */
function levelCheck({ outlook, entries, at }: Survey, config: Config): Check {
  const level = levelOf(config, outlook.decisions, rateOf(entries), at);
  const check = 'space';
  if (level !== null) return passed(check, `levels off near ${gib(level)}, as planned and kept now`);
  const next = 'something is kept for ever: --keep, --budget-bytes or --retain-completed can set an end';
  return { check, ok: true, detail: 'never levels off, as planned and kept now', next };
}

function sourceCheck({ ref, counts, skipped, problem }: SourceFinding, at: number): Check {
  const check = ref.kind === 'xmltv' ? 'guide' : 'list';
  const place = shownLocation(ref);
  if (problem) return failure(check, problem.code as ErrorCode, problem.detail);
  const what =
    ref.kind === 'xmltv'
      ? `${counts?.channels ?? 0} channels, ${counts?.programmes ?? 0} programmes`
      : `${counts?.channels ?? 0} channels`;
  const left = Object.entries(skipped).map(([reason, count]) => `${count} ${reason}`);
  const detail = `${place}: ${what}${left.length > 0 ? ` (left out: ${left.join(', ')})` : ''}`;
  const empty = counts === null || counts.channels === 0 || counts.programmes === 0;
  if (empty) return failure(check, 'source_empty', detail);
  if (!isOver(counts, at)) return passed(check, detail);
  return failure(check, 'guide_over', `${detail}, the last until ${localTime(counts.lastStopAt)}`);
}

/** A guide that tells of nothing to come. */
function isOver({ programmes, lastStopAt }: GateCounts, at: number): boolean {
  return programmes !== null && programmes > 0 && lastStopAt <= at;
}

function linkChecks(found: Survey): Check[] {
  const { decisions } = found.outlook;
  if (found.findings.some(({ problem }) => problem)) return [];
  // Whether they know each other cannot be seen by what is over.
  if (decisions.length === 0 && found.findings.some(({ counts }) => counts && isOver(counts, found.at)))
    return [];
  if (found.sources.guides().length === 0)
    return [
      {
        ...failure('guide', 'no_guide', 'neither --xmltv nor a list names the address of a guide'),
        next: 'Give --xmltv FILE|URL, or ask the provider for a list with x-tvg-url.',
      },
    ];
  const wanted = decisions.filter(({ action }) => action === 'record').length;
  const channels = new Set(decisions.map(({ capsule }) => capsule.channelId)).size;
  const detail = `${channels} channels with programmes soon, ${wanted} programmes to record`;
  return decisions.length === 0
    ? [failure('matching', 'nothing_matched', 'no programme of the guide belongs to a channel of the lists')]
    : [passed('matching', detail)];
}
