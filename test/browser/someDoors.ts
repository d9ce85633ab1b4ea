/** A recorder that stands still: one of everything that a page may show, and a note of everything that it was told. */
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ApiDoors } from '../../src/api/doors.js';
import type { RecordingsWish } from '../../src/runtime/recordingsView.js';
import { reportItem } from '../../src/domain/reportItem.js';
import { rfc3339 } from '../../src/domain/text.js';
import { timeMs } from '../../src/domain/sidecar.js';
import { chartsView } from '../../src/runtime/chartsView.js';
import { doorsThat } from '../api/aDoor.js';
import { aRecording, START, STOP } from '../domain/aRecording.js';

const MEDIA = fileURLToPath(new URL('../../src/demo/clips/channel-1.mpegts', import.meta.url));
const CLIP_MS = 8_000;
export const GAP = { fromAt: START + 150_000, toAt: START + 300_000, cause: 'stall' } as const;

export const FINISHED = reportItem({
  recording: aRecording({
    gaps: [GAP],
    result: {
      outcome: 'complete_with_gaps',
      reason: 'gaps',
      coverage: 0.75,
      gaps: [GAP],
      bytes: statSync(MEDIA).size,
      finishedAt: STOP,
    },
  }),
  state: 'published',
  updatedAt: STOP,
});

/** Loses all to another; the same is on again. */
export function losing(now: number) {
  const slot = (minutes: number) => rfc3339(Math.floor(now / 60_000) * 60_000 + minutes * 60_000);
  return {
    capsule_id: 'dna-1:late-film',
    title: 'Late Film',
    lane: 'kids',
    start: slot(5),
    stop: slot(65),
    action: 'skip',
    reason: 'conflict',
    conflict: {
      reason: 'slots_full',
      from: slot(5),
      lost_seconds: 3_600,
      loses_to: [{ capsule_id: 'x', title: 'The Match', channel_name: 'Sports One' }],
      again: { capsule_id: 'y', channel_name: 'Films Two', start: slot(600) },
    },
  };
}

export interface SomeDoors {
  readonly doors: ApiDoors;
  /** `keep 1a2b3c4d`, `want dna-1:late-film`, … */
  readonly told: readonly string[];
  /** Lanes that recordings were asked of. */
  readonly lanesAsked: ReadonlySet<string>;
}

/** `filled` false: a daemon that has just been set up, with nothing at all. */
export function someDoors(filled: boolean): SomeDoors {
  const told: string[] = [];
  const lanesAsked = new Set<string>();
  const at = timeMs(Date.now());
  const only = <T>(each: T): T[] => (filled ? [each] : []);
  const lane = { used_bytes: 9e6, kept_bytes: 0, spool_bytes: 0, recordings: 1, budget_bytes: null };
  const doors = doorsThat({
    ready: () => filled,
    recordings({ state, lane: asked }: RecordingsWish) {
      lanesAsked.add(asked);
      const recordings = state === 'completed' ? only(FINISHED) : [];
      return { generated_at: at, total: recordings.length, recordings };
    },
    recording: () =>
      filled
        ? {
            ...FINISHED,
            path: 'published',
            desc: '',
            categories: [],
            stretches: [],
            joins: [],
            media_path: `media/${FINISHED.id}`,
          }
        : null,
    past: () => Promise.resolve({ id: FINISHED.id, steps: [{ at, event: 'begins', state: 'published' }] }),
    guide({ fromAt, toAt }) {
      const channels = only({
        channel_id: 'films',
        channel_name: 'Films One',
        guide_number: '7',
        group: '',
        programmes: [losing(Date.now())],
      });
      const frame = { generated_at: at, planned_at: at, from: timeMs(fromAt), to: timeMs(toAt) };
      return { ...frame, total: channels.length, channels };
    },
    upstreams: () => ({
      slots: { used: 0, limit: 2, refused_for: null },
      bandwidth: { bits_per_second: 0, limit: 0 },
      accounts: [],
      hosts: [],
      connections: [],
      rankings: [],
      waiting: [],
    }),
    storage: () =>
      Promise.resolve({
        generated_at: at,
        lanes: only({ ...lane, lane: 'kids', keep_seconds: 3_600 }),
        disks: [],
        forecast: { bytes_per_second: 0, points: [] },
      }),
    charts: chartsView,
    media: (id) => (filled && id === FINISHED.id ? { path: MEDIA, growing: false } : null),
    mediaIndex: () =>
      Promise.resolve({
        startedAt: START,
        points: [{ offset: 0, atMs: 0, durationMs: CLIP_MS, discontinuity: false }],
        bytes: statSync(MEDIA).size,
        initBytes: 0,
      }),
    command(command, id) {
      told.push(`${command} ${id}`);
      return Promise.resolve({ command, id, changed: true, machine_state: 'expired', recording: null });
    },
    override(capsuleId, word) {
      told.push(`${word} ${capsuleId}`);
      return Promise.resolve(true);
    },
  });
  return { doors, told, lanesAsked };
}
