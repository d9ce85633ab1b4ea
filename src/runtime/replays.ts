/**
 * Asks a provider's archive for what a recording lacks, and makes the better recording of both. One connection at a
 * time on its own slot; what came is kept when it breaks off or has to give way, and gone on with.
 */

import { dirname } from 'node:path';
import { mend } from '../capture/mend.js';
import { fetchFinite } from '../capture/finiteBody.js';
import type { Feeds } from '../capture/feeds.js';
import type { Config } from '../config/config.js';
import type { Capsule } from '../domain/capsule.js';
import { refKey } from '../domain/channel.js';
import { indexText } from '../domain/mediaIndex.js';
import type { Recording } from '../domain/recording.js';
import { missingOf, REPLAY_TRIES_MAX, replayPaths, replayRef, type ReplayOutcome } from '../domain/replay.js';
import { diskCode, exists } from '../io/disk.js';
import { replaceFile } from '../io/replaceFile.js';
import type { Address } from './captures.js';
import type { Doors } from './doors.js';

/** Archives begin a little early; beyond that nothing of a playlist is of use. */
const MORE_MS = 10 * 60_000;

export interface ReplaysDoors {
  readonly config: Config;
  readonly doors: Doors;
  readonly feeds: Feeds;
  /** Addresses of the programme, the likeliest first. */
  readonly addresses: (capsule: Capsule) => readonly Address[];
  /** Of the recording's media; what it says of the old spool is not true of the new one. */
  readonly indexPath: (id: string) => string;
  readonly rootReady: () => Promise<boolean>;
  /** The connection that was granted is not there (any more). */
  readonly onClosed: (feed: string) => void;
}

export interface Replays {
  run(recording: Recording, signal: AbortSignal): Promise<ReplayOutcome>;
}

export function createReplays(parts: ReplaysDoors): Replays {
  const { config, doors, feeds } = parts;
  const { clock, disk, transport, log } = doors;

  async function run(recording: Recording, signal: AbortSignal): Promise<ReplayOutcome> {
    const paths = replayPaths(recording.spool);
    const addresses = parts.addresses(recording.capsule);
    let code = 'upstream_gone';
    if (!(await parts.rootReady())) return { kind: 'none', at: clock.now(), code: 'mount_missing' };
    // Of a programme that nothing was captured of, the folder may not be there.
    await disk.mkdir(dirname(recording.spool));
    // What was captured as MP4 lies elsewhere, and nothing of a transport stream goes into that.
    if (recording.bytes > 0 && !(await exists(disk, recording.spool)))
      return { kind: 'none', at: clock.now(), code: 'replay_no_better' };
    for (const address of addresses) {
      const feed = refKey(replayRef(recording.id));
      const fetched = await fetchFinite(
        {
          ...address,
          path: paths.fetched,
          mayResume: config.how.resumePartial,
          firstByteTimeoutMs: config.how.firstByteTimeoutMs,
          stallTimeoutMs: config.how.stallTimeoutMs,
          hls: {
            quality: config.how.preferQuality,
            lengthMs: recording.window.stopAt - recording.window.startAt + MORE_MS,
            mayLack: (recording.replayTries ?? 0) + 1 >= REPLAY_TRIES_MAX,
          },
        },
        { transport: through(feed), disk, clock, signal },
      );
      switch (fetched.kind) {
        case 'whole':
          return use(recording, paths, signal);
        case 'cut':
          return { kind: 'again', at: clock.now(), code: fetched.refusal.code };
        case 'aborted':
          return { kind: 'again', at: clock.now(), code: 'preempted' };
        case 'disk':
          return { kind: 'again', at: clock.now(), code: fetched.code };
        case 'refused':
          code = fetched.refusal.code;
          if (fetched.refusal.remedy === 'no_slot' || fetched.refusal.remedy === 'backoff')
            return { kind: 'again', at: clock.now(), code };
      }
    }
    return { kind: 'none', at: clock.now(), code };
  }

  function through(feed: string) {
    return {
      open(url: string, request: Parameters<typeof transport.open>[1]) {
        // What another address answered is not to be taken for an answer of this one.
        feeds.dismiss(feed);
        return feeds.open(feed, url, request);
      },
      close: () => Promise.resolve(),
    };
  }

  async function use(
    recording: Recording,
    paths: ReturnType<typeof replayPaths>,
    signal: AbortSignal,
  ): Promise<ReplayOutcome> {
    const missingMs = missingOf(recording).reduce((sum, { fromAt, toAt }) => sum + toAt - fromAt, 0);
    const source = replayRef(recording.id);
    const mended = await mend(
      { recording, missingMs, replay: paths.fetched, source, out: paths.mended },
      { disk, clock, signal },
    );
    if (signal.aborted) return { kind: 'again', at: clock.now(), code: 'preempted' };
    await drop(paths.fetched);
    await drop(`${paths.fetched}.tag`);
    if (mended === null) {
      await drop(paths.mended);
      return { kind: 'none', at: clock.now(), code: 'replay_no_better' };
    }
    const startedAt = mended.stretches[0]?.fromAt ?? recording.window.startAt;
    await disk.mkdir(dirname(parts.indexPath(recording.id)));
    await replaceFile(disk, parts.indexPath(recording.id), indexText([['start', startedAt]]));
    log.info(
      { id: recording.id, stretches: mended.stretches.length },
      'what was missing came from the archive',
    );
    return { kind: 'mended', at: clock.now(), mended };
  }

  /** Made here, and wanted no more (P5). */
  async function drop(path: string): Promise<void> {
    await disk.unlink(path).catch((error: unknown) => {
      if (diskCode(error) !== 'ENOENT')
        log.warn({ path, code: diskCode(error) }, 'a file could not be removed');
    });
  }

  return {
    async run(recording, signal) {
      const feed = refKey(replayRef(recording.id));
      try {
        return await run(recording, signal);
      } catch (error) {
        if (diskCode(error) === 'UNKNOWN') throw error;
        return { kind: 'again', at: clock.now(), code: 'disk_error' };
      } finally {
        feeds.dismiss(feed);
        if (!feeds.keys().includes(feed)) parts.onClosed(feed);
      }
    },
  };
}
