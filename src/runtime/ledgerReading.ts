/**
 * The way back from a ledger beside its media (`src/domain/sidecar.ts`) to the recording that wrote it, for a state that
 * was lost. What a ledger does not say is filled in as the configuration would have it.
 */

import { dirname, join } from 'node:path';
import { z } from 'zod';
import { freshRecording } from '../../machines/recordingContext.js';
import type { Config } from '../config/config.js';
import { recordKey } from '../domain/capsules.js';
import type { Capsule } from '../domain/capsule.js';
import type { UpstreamRef } from '../domain/channel.js';
import { expiryOf, priorityOf } from '../domain/lane.js';
import { NO_TS, type Gap, type GapCause, type Join, type Stretch, type TsCounts } from '../domain/ledger.js';
import { sanitize, spoolName } from '../domain/names.js';
import type { Recording, RecordingFiles } from '../domain/recording.js';
import { patienceOf } from './planning.js';

const time = z.string().transform((text, { addIssue }) => {
  const at = Date.parse(text);
  if (Number.isFinite(at)) return at;
  addIssue({ code: 'custom', message: 'no time' });
  return z.NEVER;
});
const text = z.string().catch('');
const count = z.number().nonnegative().catch(0);

const ledgerSchema = z.object({
  version: z.literal(1),
  recording_id: z.string().regex(/^[0-9a-f]{8,40}$/),
  record_keys: z.array(z.string()).catch([]),
  media: text,
  bytes: count,
  capsule: z.object({
    capsule_id: z.string(),
    dna_id: text,
    channel_id: text,
    guide_number: text,
    channel_name: text,
    group: text,
    title: text,
    sub_title: text,
    desc: text,
    categories: z.array(z.string()).catch([]),
    episode: text,
    lane: z.string().min(1),
    start: time,
    stop: time,
  }),
  window: z.object({ start: time, stop: time, pre_padding_s: count, post_padding_s: count }),
  outcome: z.enum(['missed', 'empty', 'partial', 'complete_with_gaps', 'complete']).catch('partial'),
  outcome_reason: text,
  coverage: z.number().min(0).max(1).catch(0),
  stretches: z
    .array(z.object({ source: z.string(), from: time, to: time, bytes: count, first_offset: count }))
    .catch([]),
  gaps: z.array(z.object({ from: time, to: time, cause: z.string() })).catch([]),
  ts: z.record(z.string(), z.number()).catch({}),
  joins: z
    .array(
      z.object({
        at: time,
        kind: z.enum(['reconnect', 'failover', 'restart', 'preempted', 'discontinuity']),
        removed_overlap_s: z.number(),
        approximate: z.boolean(),
      }),
    )
    .catch([]),
  reason: text,
  priority: z.number().optional().catch(undefined),
  expires_at: time.optional().catch(undefined),
  keep: z.boolean().catch(false),
  finished_at: time.optional().catch(undefined),
});

type Ledger = z.infer<typeof ledgerSchema>;

/** Null for what is no ledger of ours. `path` is the ledger's own; `placed` whose the folder around it is. */
export function recordingOfLedger(
  content: string,
  path: string,
  placed: Pick<RecordingFiles, 'ownsFolder' | 'series'>,
  config: Config,
  now: number,
): Recording | null {
  const parsed = ledgerSchema.safeParse(jsonOrNull(content));
  if (!parsed.success) return null;
  const ledger = parsed.data;
  const capsule = capsuleOf(ledger);
  const stem = path.slice(0, -'.catchupd.json'.length);
  // A name from a file leads nowhere but beside it (P5).
  const media = /^[^/\\]+$/.test(ledger.media) ? join(dirname(path), ledger.media) : `${stem}.ts`;
  const files: RecordingFiles = {
    folder: dirname(path),
    media,
    nfo: `${stem}.nfo`,
    ledger: path,
    ...placed,
  };
  const { window, outcome, outcome_reason: reason, coverage, bytes } = ledger;
  const gaps = ledger.gaps.map((gap): Gap => ({
    fromAt: gap.from,
    toAt: gap.to,
    cause: gap.cause as GapCause,
  }));
  const stretches = ledger.stretches.map(stretchOf);
  const extension = /\.[a-z0-9]+$/.exec(media)?.[0] ?? '.ts';
  return {
    ...freshRecording({
      id: ledger.recording_id,
      keys: ledger.record_keys.length > 0 ? ledger.record_keys : [capsule.recordKey],
      capsule,
      priority: ledger.priority ?? priorityOf(capsule),
      reason: ledger.reason,
      window: {
        startAt: window.start,
        stopAt: window.stop,
        prePaddingMs: window.pre_padding_s * 1000,
        postPaddingMs: window.post_padding_s * 1000,
      },
      durationMsMax: 0,
      expiresAt: ledger.expires_at ?? expiryOf(capsule, config.keep.keepMs),
      spool: join(
        config.places.outDir,
        sanitize(capsule.lane),
        `${spoolName(capsule.capsuleId)}.partial${extension}`,
      ),
      patience: patienceOf(config),
      joinedInProgress: false,
    }),
    keep: ledger.keep,
    stretches,
    gaps,
    joins: ledger.joins.map((join): Join => ({
      at: join.at,
      kind: join.kind,
      removedOverlapS: join.removed_overlap_s,
      approximate: join.approximate,
    })),
    ts: tsOf(ledger.ts),
    bytes,
    attempts: stretches.length,
    startedAt: stretches[0]?.fromAt ?? null,
    recoveredAt: now,
    recoveryReason: 'rebuilt',
    cancelReason: reason === 'cancelled' ? 'cancelled' : '',
    files,
    result: { outcome, reason, coverage, gaps, bytes, finishedAt: ledger.finished_at ?? window.stop },
  };
}

function jsonOrNull(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return null;
  }
}

function capsuleOf({ capsule, record_keys: keys, stretches }: Ledger): Capsule {
  const base = capsule.dna_id || capsule.channel_id;
  return {
    capsuleId: capsule.capsule_id,
    recordKey: keys.at(-1) ?? recordKey(base, capsule.start, capsule.title),
    dnaId: capsule.dna_id,
    channelId: capsule.channel_id,
    guideNumber: capsule.guide_number,
    channelName: capsule.channel_name,
    group: capsule.group,
    title: capsule.title,
    subTitle: capsule.sub_title,
    desc: capsule.desc,
    categories: capsule.categories,
    episode: capsule.episode,
    lane: capsule.lane,
    startAt: capsule.start,
    stopAt: capsule.stop,
    upstreams: [...new Map(stretches.map(({ source }) => [source, refOf(source)])).values()],
  };
}

function stretchOf({
  source,
  from,
  to,
  bytes,
  first_offset: firstOffset,
}: Ledger['stretches'][number]): Stretch {
  return { source: refOf(source), fromAt: from, toAt: to, bytes, firstOffset };
}

/** The way back from `showRef`. */
function refOf(shown: string): UpstreamRef {
  const slash = shown.indexOf('/');
  const hash = shown.lastIndexOf('#');
  return {
    source: shown.slice(0, Math.max(0, slash)),
    channel: shown.slice(slash + 1, hash < 0 ? undefined : hash),
    index: Number(shown.slice(hash + 1)) || 0,
  };
}

function tsOf(counts: Readonly<Record<string, number>>): TsCounts {
  return {
    ...NO_TS,
    packets: counts['packets'] ?? 0,
    continuityErrors: counts['continuity_errors'] ?? 0,
    transportErrors: counts['transport_errors'] ?? 0,
    scrambled: counts['scrambled'] ?? 0,
    syncLosses: counts['sync_losses'] ?? 0,
    skippedBytes: counts['skipped_bytes'] ?? 0,
    clockJumps: counts['clock_jumps'] ?? 0,
    trimmedBytes: counts['trimmed_bytes'] ?? 0,
  };
}
