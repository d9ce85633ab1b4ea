/** The daemon as the HTTP door shows it: every view, bound to what runs. */

import { join } from 'node:path';
import { forecast } from '../domain/forecast.js';
import type { Decision } from '../domain/plan.js';
import type { Config } from '../config/config.js';
import { rfc3339 } from '../domain/text.js';
import { reportItem } from '../domain/report.js';
import { timeMs } from '../domain/sidecar.js';
import type { Disk } from '../io/disk.js';
import { readHistory } from '../store/historyFiles.js';
import { chartsView, pastOf } from './chartsView.js';
import type { Daemon } from './daemon.js';
import { capacityOf } from './capacity.js';
import { findWhy, shownDecision, shownWhy, withinHorizon, type Conflicts } from './decisionsView.js';
import { guideView, type GuideWish } from './guideView.js';
import type { NewsItem } from './news.js';
import {
  recordingsView,
  recordingView,
  reportedEntry,
  topOf,
  type RecordingsWish,
} from './recordingsView.js';
import { reportOf } from './reporting.js';
import { sourcesView, sourceStandings } from './sourcesView.js';
import { storageView } from './storageView.js';

/** `capture` may still add to the spool in these. */
const GROWING: ReadonlySet<string> = new Set(['spooling', 'retrying', 'failover', 'finalizing']);

const CONFLICTS_KEPT_MS = 5_000;

export type DaemonViews = ReturnType<typeof daemonViews>;

export function daemonViews(daemon: Daemon, config: Config, disk: Disk, version: string) {
  const { book, store, sources, roots, watch } = daemon;
  const now = () => daemon.status().now;
  const storage = () => storageView({ config, book, roots, disk }, now());
  const conflictsIn = keptConflicts(
    (decisions) => forecast(decisions, capacityOf(config, sources, store.all('accounts')), now()),
    now,
  );
  const known = (id: string) => book.get(id) ?? book.aside().find((entry) => entry.id === id);

  return {
    ready: () => daemon.status().ready,
    report: (limit: number) => reportOf(config, book, now(), limit),
    recordings: (wish: RecordingsWish) => recordingsView(book, wish, now()),
    recording(id: string) {
      const entry = known(id);
      return entry
        ? { ...recordingView(entry), media_path: mediaOf(id) === null ? null : `media/${id}` }
        : null;
    },
    async past(id: string) {
      if (!known(id)) return null;
      const folder = join(config.places.outDir, '.catchupd', 'history');
      return { id, steps: pastOf((await readHistory(disk, folder, id)).entries) };
    },
    plan() {
      const { decisions, at } = watch.planning();
      const conflicts = conflictsIn(decisions);
      return {
        generated_at: rfc3339(at === 0 ? now() : at),
        decisions: withinHorizon(decisions).map((decision) =>
          shownDecision(decision, conflicts.get(decision)),
        ),
      };
    },
    guide(wish: GuideWish) {
      const planning = watch.planning();
      return guideView(planning, book, wish, now(), conflictsIn(planning.decisions));
    },
    why(query: string) {
      const { decisions } = watch.planning();
      const found = findWhy(query, {
        decisions,
        entries: [...book.all(), ...book.aside()],
        tombstones: store.tombstones().values(),
      });
      return shownWhy(found, now(), daemon.ranking, conflictsIn(decisions));
    },
    upstreams: () => daemon.upstreams(),
    storage,
    sources: () => sourcesView(sources, watch.inspector),
    machines: () => ({
      machines: watch.inspector
        .machines()
        .map(({ since, ...machine }) => ({ ...machine, since: timeMs(since) })),
    }),
    charts: chartsView,
    command: daemon.command,
    override: (capsuleId: string, verb: 'want' | 'skip' | 'forget') =>
      daemon.override(capsuleId, verb === 'forget' ? null : verb),
    media: mediaOf,
    mediaIndex: (id: string) => daemon.mediaIndex(id),
    news: watch.news,
    shown: shownNews,
    inspector: watch.inspector,
    gauges,
  };

  function mediaOf(id: string): { path: string; growing: boolean } | null {
    const entry = book.get(id);
    if (!entry) return null;
    const { files, spool, bytes, stretches } = entry.recording;
    if (files !== null) return { path: files.media, growing: false };
    const growing = GROWING.has(topOf(entry.path));
    return growing || bytes > 0 || stretches.length > 0 ? { path: spool, growing } : null;
  }

  function shownNews({ kind, id }: NewsItem): object {
    if (kind !== 'recording') return id === '' ? {} : { id };
    const entry = known(id);
    return entry ? reportItem(reportedEntry(entry)) : { id, machine_state: 'expired' };
  }

  async function gauges() {
    const recordings = new Map<string, number>();
    for (const { path } of book.all()) recordings.set(topOf(path), (recordings.get(topOf(path)) ?? 0) + 1);
    const { slots, accounts, waiting } = daemon.upstreams();
    const reasons = new Map<string, number>();
    for (const { reason } of waiting) reasons.set(reason ?? 'none', (reasons.get(reason ?? 'none') ?? 0) + 1);
    const { lanes, disks } = await storage();
    const { tickedAt, degraded } = daemon.status();
    return {
      version,
      counts: watch.tally.counts(),
      recordings,
      slots,
      accounts,
      waiting: reasons,
      sources: sourceStandings(sources, watch.inspector).map(({ id, context, channels, programmes }) => ({
        source: id,
        acceptedAt: context?.acceptedAt ?? null,
        channels,
        programmes,
        held: context?.held != null,
        failing: context?.problem != null,
      })),
      disks: disks.map(({ path, free_bytes: freeBytes, floor_bytes: floor, ready }) => ({
        path,
        freeBytes,
        floorBytes: floor,
        ready,
      })),
      receivers: daemon.receivers().map(({ name, owed, problem }) => ({
        server: name,
        owed,
        failing: problem !== null,
      })),
      lanes: lanes.map(({ lane, used_bytes: bytes }) => ({ lane, bytes })),
      tickAgeSeconds: tickedAt === null ? null : Math.max(0, (now() - tickedAt) / 1000),
      stateWritable: degraded === null,
    };
  }
}

/** Played ahead once for all who ask about the same plan, for a while: minutes pass between two plans, and limits change seldom. */
function keptConflicts(made: (decisions: readonly Decision[]) => Conflicts, now: () => number) {
  let kept: {
    readonly decisions: readonly Decision[];
    readonly at: number;
    readonly conflicts: Conflicts;
  } | null = null;
  return (decisions: readonly Decision[]): Conflicts => {
    const at = now();
    if (kept?.decisions !== decisions || Math.abs(at - kept.at) >= CONFLICTS_KEPT_MS)
      kept = { decisions, at, conflicts: made(decisions) };
    return kept.conflicts;
  };
}
