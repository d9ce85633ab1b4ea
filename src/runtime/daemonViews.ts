/** The daemon as the HTTP door shows it: every view, bound to what runs. */

import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import type { Config } from '../config/config.js';
import { JsonBytes, writtenInTurns } from '../domain/json.js';
import { reportItem } from '../domain/reportItem.js';
import { timeMs } from '../domain/sidecar.js';
import type { Disk } from '../io/disk.js';
import { readHistory } from '../store/historyFiles.js';
import { chartsView, pastOf } from './chartsView.js';
import type { Daemon } from './daemon.js';
import { findWhy, shownWhy, withPast } from './decisionsView.js';
import type { GuideWish } from './guideView.js';
import type { NewsItem } from './news.js';
import {
  recordingsView,
  recordingView,
  reportedEntry,
  topOf,
  type RecordingsWish,
} from './recordingsView.js';
import { pastDecisions } from './pastGuide.js';
import type { PageParts } from './planFacts.js';
import { reportOf } from './reporting.js';
import { sourcesView, sourceStandings } from './sourcesView.js';
import { storageView } from './storageView.js';

/** `capture` may still add to the spool in these. */
const GROWING: ReadonlySet<string> = new Set(['spooling', 'retrying', 'failover', 'finalizing']);

const PARTS_A_TURN = 64;

export type DaemonViews = ReturnType<typeof daemonViews>;

export function daemonViews(daemon: Daemon, config: Config, disk: Disk, version: string) {
  const { book, store, sources, roots, watch } = daemon;
  const now = () => daemon.status().now;
  const privateFolder = join(config.places.outDir, '.catchupd');
  const storage = () => storageView({ config, book, roots, disk }, now());
  const known = (id: string) => book.get(id) ?? book.aside().find((entry) => entry.id === id);

  return {
    ready: () => daemon.status().ready,
    report: (limit: number) => writtenInTurns(reportOf(config, book, store.all('held'), now(), limit), turn),
    recordings: (wish: RecordingsWish) => writtenInTurns(recordingsView(book, wish, now()), turn),
    recording(id: string) {
      const entry = known(id);
      return entry
        ? { ...recordingView(entry), media_path: mediaOf(id) === null ? null : `media/${id}` }
        : null;
    },
    async past(id: string) {
      if (!known(id)) return null;
      const { entries } = await readHistory(disk, join(privateFolder, 'history'), id);
      return { id, steps: pastOf(entries) };
    },
    plan: async () => written(await daemon.planner.planPage(now())),
    guide: async (wish: GuideWish) => written(await daemon.planner.guidePage(daemon.facts(), wish, now())),
    async why(query: string) {
      const planned = await daemon.planner.found(query);
      const conflicts = new Map(
        planned.flatMap(({ decision, conflict }) => (conflict ? [[decision, conflict] as const] : [])),
      );
      const past = await pastDecisions(disk, privateFolder, query);
      const entries = [...book.all(), ...book.aside()];
      const decided = planned.map(({ decision }) => decision);
      const found = findWhy(query, {
        decisions: withPast(decided, past, entries),
        entries,
        tombstones: store.tombstones().values(),
      });
      return writtenInTurns(shownWhy(found, now(), daemon.ranking, conflicts), turn);
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

  /** What recordings are is told a few at a time: there may be thousands, and captures want their turn (P1). */
  async function written(parts: PageParts): Promise<JsonBytes> {
    const told: Uint8Array[] = [];
    for (const [i, part] of parts.entries()) {
      if (i % PARTS_A_TURN === PARTS_A_TURN - 1) await turn();
      const entry = typeof part === 'string' ? book.get(part) : undefined;
      if (entry) told.push(Buffer.from(`,"recording":${JSON.stringify(reportItem(reportedEntry(entry)))}`));
      else if (typeof part !== 'string') told.push(part);
    }
    return new JsonBytes(told);
  }

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
