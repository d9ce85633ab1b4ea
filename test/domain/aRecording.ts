/** A recording of a ten-minute programme that was captured whole, to be varied by the tests of the stages. */
import type { Capsule } from '../../src/domain/capsule.js';
import { NO_TS } from '../../src/domain/ledger.js';
import type { Recording } from '../../src/domain/recording.js';

export const START = Date.parse('2026-11-23T19:30:00Z');
export const STOP = START + 600_000;

export function aCapsule(over: Partial<Capsule> = {}): Capsule {
  return {
    capsuleId: 'dna-6398cc29ed163b32:202611231930:man-utd-vs-city',
    recordKey: 'dna-6398cc29ed163b32|2026-11-23t19:30:00z|man utd vs city',
    dnaId: 'dna-6398cc29ed163b32',
    channelId: 'bbc1',
    guideNumber: '101',
    channelName: 'BBC One',
    group: 'UK',
    title: 'Man Utd vs City',
    subTitle: '',
    desc: 'Live coverage <from> Old Trafford & more\u0007',
    categories: ['Sports'],
    episode: '',
    lane: 'sports',
    startAt: START,
    stopAt: STOP,
    upstreams: [],
    ...over,
  };
}

const source = { source: 'm3u-1', channel: 'bbc1', index: 0 };

export function aRecording(over: Partial<Recording> = {}): Recording {
  const capsule = over.capsule ?? aCapsule();
  return {
    id: '1a2b3c4d',
    keys: [capsule.recordKey],
    capsule,
    priority: 30,
    reason: 'starting_soon',
    window: { startAt: START, stopAt: STOP, prePaddingMs: 15_000, postPaddingMs: 60_000 },
    durationMsMax: 0,
    expiresAt: STOP + 43_200_000,
    keep: false,
    deadline: null,
    upstreams: [source],
    health: {},
    current: null,
    waiting: null,
    joinedInProgress: false,
    closing: null,
    lastFault: null,
    faults: 0,
    spool: '/out/sports/dna-6398cc29ed163b32-202611231930-man-utd-vs-city.partial.ts',
    patience: { backoffMs: 250, backoffMsMax: 30_000, attemptsMax: 0, fallback: true },
    startedAt: START - 15_000,
    stretches: [{ source, fromAt: START - 14_000, toAt: STOP + 60_000, bytes: 376, firstOffset: 0 }],
    joins: [],
    gaps: [{ fromAt: START - 15_000, toAt: START - 14_000, cause: 'late_start' }],
    ts: NO_TS,
    tsBefore: NO_TS,
    bytes: 376,
    attempts: 1,
    transientRetries: 0,
    switches: 0,
    recoveredAt: null,
    recoveryReason: '',
    cancelReason: '',
    failReason: '',
    files: null,
    result: null,
    evictedBy: '',
    ...over,
  };
}
