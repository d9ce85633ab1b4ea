/**
 * What the charts may ask of the world, as typed placeholders. `src/runtime` puts the real effects in; tests put
 * scripted ones. An effect takes plain data and resolves with an outcome of `src/domain`: it never rejects.
 */

import { fromPromise } from 'xstate';
import type { CaptureOutcome } from '../src/domain/capture.js';
import type { SavedCursor } from '../src/domain/hlsCursor.js';
import type { UpstreamRef } from '../src/domain/channel.js';
import type { DeliverOutcome } from '../src/domain/deliver.js';
import type { FinalizeOutcome, RemoveOutcome, SealOutcome } from '../src/domain/effects.js';
import type { Recording } from '../src/domain/recording.js';
import type { ReplayOutcome } from '../src/domain/replay.js';
import type { GuideOutcome } from './guide.js';

/** Opens the upstream and appends to the spool until it is told to stop or the upstream fails. */
export interface CaptureInput {
  readonly id: string;
  readonly upstream: UpstreamRef;
  readonly spool: string;
  /** When the last byte of the spool was received, or null. */
  readonly lastMediaAt: number | null;
  /** What was added to the clock of what the spool ends with, or null where nobody knows. */
  readonly movedTicks: number | null;
  /** Another upstream could be asked. */
  readonly hasOthers: boolean;
  /** From when media is wanted, where the upstream still has it. */
  readonly from: number;
  /** Where an HLS stream stood, if this upstream was the last and is one. */
  readonly cursor: SavedCursor | null;
}

/** The effects after capture need to know everything; each is idempotent by the recording's id. */
export interface StageInput {
  readonly recording: Recording;
}

export interface LoadInput {
  readonly sourceId: string;
}

export interface DeliverInput {
  readonly receiver: string;
}

function unplugged(name: string): Promise<never> {
  return Promise.reject(new Error(`the port '${name}' has no effect plugged in`));
}

export const capture = fromPromise<CaptureOutcome, CaptureInput>(() => unplugged('capture'));
export const replay = fromPromise<ReplayOutcome, StageInput>(() => unplugged('replay'));
export const finalize = fromPromise<FinalizeOutcome, StageInput>(() => unplugged('finalize'));
export const seal = fromPromise<SealOutcome, StageInput>(() => unplugged('seal'));
export const remove = fromPromise<RemoveOutcome, StageInput>(() => unplugged('remove'));
export const load = fromPromise<GuideOutcome, LoadInput>(() => unplugged('load'));
/** Delivers the first row that is owed to a receiver. */
export const deliver = fromPromise<DeliverOutcome, DeliverInput>(() => unplugged('deliver'));
