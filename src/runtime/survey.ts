/**
 * A look at the sources and the plan without a daemon: for `plan`, `why` and `doctor`. Nothing of the state is
 * touched; what is fetched goes to a temporary folder. Where a source does not answer, its last good copy counts.
 */

import { join } from 'node:path';
import type { Config } from '../config/config.js';
import type { SourceRef } from '../domain/channel.js';
import type { GateCounts } from '../domain/gate.js';
import type { Override } from '../domain/override.js';
import type { Tombstone } from '../domain/recording.js';
import { exists } from '../io/disk.js';
import { openStore, type Store } from '../store/store.js';
import type { Entry } from './entries.js';
import { capacityOf } from './capacity.js';
import { createPlannerHere } from './planner.js';
import { shadowOf } from './shadow.js';
import type { Doors } from './doors.js';
import { decide, type GuideInUse, type Outlook } from './planning.js';
import { entriesOf } from './reporting.js';
import { createRulesFile } from './rulesFile.js';
import { createSources, type Sources } from './sources.js';
import { createUpstreams, type Upstreams } from './upstreams.js';

export interface SourceFinding {
  readonly ref: SourceRef;
  readonly counts: GateCounts | null;
  readonly skipped: Readonly<Record<string, number>>;
  /** Why it could not be loaded, or null. */
  readonly problem: { readonly code: string; readonly detail: string } | null;
}

export interface Survey {
  readonly findings: readonly SourceFinding[];
  readonly sources: Sources;
  /** What was decided on: what could be loaded now, else the last good copies. */
  readonly guide: GuideInUse;
  readonly entries: readonly Entry[];
  readonly tombstones: readonly Tombstone[];
  readonly overrides: readonly Override[];
  readonly outlook: Outlook;
  /** What of it the connections that are known will not allow. */
  readonly at: number;
  /** What the state knows of them. */
  readonly ranking: Upstreams;
}

interface StateFound {
  readonly entries: readonly Entry[];
  readonly tombstones: readonly Tombstone[];
  readonly overrides: readonly Override[];
  readonly hints: Pick<Store, 'all' | 'set'>;
}

const NO_HINTS: StateFound['hints'] = { all: () => new Map(), set: () => undefined };
const EMPTY_STATE: StateFound = { entries: [], tombstones: [], overrides: [], hints: NO_HINTS };

/** `folder` is temporary and the caller's to remove. */
export async function survey(config: Config, given: Omit<Doors, 'planner'>, folder: string): Promise<Survey> {
  const planner = createPlannerHere(given.parse);
  const doors = { ...given, planner };
  const privateFolder = join(config.places.outDir, '.catchupd');
  const lastGood = createSources(config, privateFolder, doors, () => undefined);
  lastGood.restore();
  const sources = createSources(config, folder, doors, () => undefined);
  const findings: SourceFinding[] = [];
  // Lists may name guides, so there can be more sources after each one.
  for (let done = 0; done < sources.refs().length; done += 1) {
    const ref = sources.refs()[done];
    if (ref) findings.push(await load(ref));
  }
  await sources.settled();
  await Promise.all(lastGood.refs().map(({ id }) => lastGood.restored(id)));
  const { entries, tombstones, overrides, hints } = await readState();
  const at = doors.clock.now();
  const use = <T>(fresh: readonly T[], kept: readonly T[]) => (fresh.length > 0 ? fresh : kept);
  const guide = {
    channels: use(sources.channels(), lastGood.channels()),
    guides: use(sources.guides(), lastGood.guides()).flatMap((number) => planner.desk.guide(number) ?? []),
    aliases: sources.aliases(),
  };
  const rulesFile = createRulesFile(config, doors);
  await rulesFile.reread();
  const rules = rulesFile.book();
  const state = { shadows: entries.map(shadowOf), tombstones, overrides };
  const asked = sources.channels().length > 0 ? sources : lastGood;
  const capacity = capacityOf(config, asked, asked.lists(), hints.all('accounts'), at);
  const outlook = decide({ config, guide, ...state, rules, capacity, now: at, previousRowKeys: null });
  const ranking = createUpstreams({ config, doors, store: hints, sources });
  await ranking.reread();
  return { findings, sources, guide, entries, tombstones, overrides, outlook, at, ranking };

  async function load(ref: SourceRef): Promise<SourceFinding> {
    const outcome = await sources.load(ref.id, new AbortController().signal);
    const skipped = () => sources.skipped(ref.id);
    switch (outcome.kind) {
      case 'loaded':
        sources.adopt(ref.id, outcome.token);
        return { ref, counts: outcome.counts, skipped: skipped(), problem: null };
      case 'unchanged':
        return { ref, counts: sources.counts(ref.id), skipped: skipped(), problem: null };
      case 'failed':
        return { ref, counts: null, skipped: {}, problem: { code: outcome.code, detail: outcome.detail } };
      case 'bug':
        return { ref, counts: null, skipped: {}, problem: { code: 'bug', detail: outcome.error } };
    }
  }

  async function readState(): Promise<StateFound> {
    const { stateFile } = config.places;
    if (!(await exists(doors.disk, stateFile).catch(() => false))) return EMPTY_STATE;
    const { clock, disk, log } = doors;
    const store = await openStore({ disk, clock, log, statePath: stateFile, readOnly: true });
    return {
      entries: entriesOf(store.recordings().values()),
      tombstones: [...store.tombstones().values()],
      overrides: [...store.all('overrides').values()],
      hints: store,
    };
  }
}
