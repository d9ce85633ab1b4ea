/** Documents as a library of recordings has them: finished, a little ragged, each with texts of its own. */
import { freshRecording } from '../../machines/recordingContext.js';
import type { Recording, RecordingDocument } from '../../src/domain/recording.js';
import { RECORDING_VERSION } from '../../src/store/migrations.js';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** Published, and not to expire for a long time; its media would lie below `library`. */
export function storedRecording(
  index: number,
  now: number,
  outDir: string,
  library: string,
): RecordingDocument {
  const id = index.toString(16).padStart(8, '0');
  const startAt = Math.floor(now / MINUTE_MS) * MINUTE_MS - 2 * HOUR_MS - index * MINUTE_MS;
  const stopAt = startAt + HOUR_MS;
  const channel = `channel-${index % 200}`;
  const source = { source: 'm3u-1a2b3c4d', channel, index: 0 };
  const title = `Some Programme ${index}`;
  const recordKey = `dna-6398cc29ed16${index % 200}|${new Date(startAt).toISOString()}|${title.toLowerCase()}`;
  const name = `Some-Programme-${index}-${new Date(startAt).toISOString().slice(0, 16).replace(/[T:]/g, '-')}-UTC`;
  const folder = `${library}/general/${name}`;
  const gaps = [{ fromAt: startAt + MINUTE_MS, toAt: startAt + MINUTE_MS + 1500, cause: 'reset' as const }];
  const expiresAt = now + 1000 * HOUR_MS;
  const recording: Recording = {
    ...freshRecording({
      id,
      keys: [recordKey],
      capsule: {
        capsuleId: recordKey.replaceAll('|', ':'),
        recordKey,
        dnaId: `dna-6398cc29ed16${index % 200}`,
        channelId: channel,
        guideNumber: String(index % 200),
        channelName: `Channel ${index % 200} HD`,
        group: 'UK',
        title,
        subTitle: '',
        desc: `What number ${index} is about, told in a sentence or two, as guides do it, and not much longer than this.`,
        categories: ['News'],
        episode: '',
        lane: 'general',
        startAt,
        stopAt,
        upstreams: [source, { ...source, index: 1 }],
      },
      priority: 10,
      reason: 'scheduled',
      window: { startAt, stopAt, prePaddingMs: 15_000, postPaddingMs: MINUTE_MS },
      durationMsMax: 0,
      expiresAt,
      spool: `${outDir}/general/${name}.partial.ts`,
      patience: { backoffMs: 250, backoffMsMax: 30_000, attemptsMax: 0, fallback: true },
      joinedInProgress: false,
    }),
    deadline: { kind: 'expire', at: expiresAt },
    stretches: [
      { source, fromAt: startAt, toAt: startAt + MINUTE_MS, bytes: 6e7, firstOffset: 0 },
      { source, fromAt: startAt + MINUTE_MS + 1500, toAt: stopAt, bytes: 3e9 + index, firstOffset: 6e7 },
    ],
    joins: [{ at: startAt + MINUTE_MS, kind: 'reconnect', removedOverlapS: 1.5, approximate: false }],
    gaps,
    bytes: 3e9 + index,
    attempts: 2,
    files: {
      folder,
      media: `${folder}/${name}.ts`,
      nfo: `${folder}/${name}.nfo`,
      ledger: `${folder}/${name}.catchupd.json`,
      ownsFolder: true,
    },
    result: {
      outcome: 'complete_with_gaps',
      reason: 'gaps',
      coverage: 0.999,
      gaps,
      bytes: 3e9 + index,
      finishedAt: stopAt + MINUTE_MS,
    },
  };
  const snapshot = {
    status: 'active',
    value: 'published',
    historyValue: {},
    children: {},
    context: recording,
  };
  return { v: RECORDING_VERSION, id, rev: 9, updatedAt: now, deadline: recording.deadline, snapshot };
}
