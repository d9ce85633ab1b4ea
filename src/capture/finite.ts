/** Bodies that have an end (a replay, an archive), and what comes of fetching one into a file. */
import type { QualityWish } from '../domain/hlsVariant.js';
import type { Clock } from '../io/clock.js';
import { diskCode, type Disk } from '../io/disk.js';
import type { Transport } from '../io/transport.js';
import type { Refusal } from './refusal.js';

export interface FiniteInput {
  /** Secret. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** What is there of it already is gone on with. */
  readonly path: string;
  /** False: never asks for a part. */
  readonly mayResume: boolean;
  readonly firstByteTimeoutMs: number;
  readonly stallTimeoutMs: number;
  /** For the case that a playlist answers. */
  readonly hls?: ArchiveWish;
}

export interface ArchiveWish {
  readonly quality: QualityWish;
  /** So much is enough: some playlists are not over where the programme is. */
  readonly lengthMs: number;
  /** A segment that cannot be had is gone over; else it is asked for again by the next connection. */
  readonly mayLack: boolean;
}

export interface FiniteDoors {
  readonly transport: Transport;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** `cut`: it broke off, and what came is in the file. `again`: what is in the file is another thing: begin anew. */
export type FiniteOutcome =
  | { readonly kind: 'whole'; readonly bytes: number }
  | { readonly kind: 'cut'; readonly bytes: number; readonly refusal: Refusal }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'disk'; readonly code: 'disk_full' | 'disk_error' }
  | { readonly kind: 'aborted' };

export async function sizeOf(disk: Disk, path: string): Promise<number> {
  try {
    return (await disk.stat(path)).bytes;
  } catch (error) {
    if (diskCode(error) === 'ENOENT') return 0;
    throw error;
  }
}
