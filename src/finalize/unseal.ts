/**
 * Takes a sealing back when a failed or cancelled recording gets a second chance: its media becomes the spool again, so
 * that what comes is appended to what is there (P1, P2). Idempotent.
 */
import { dirname } from 'node:path';

import type { Blocked } from '../domain/effects.js';
import type { Recording } from '../domain/recording.js';
import { diskCode, diskProblem, exists, type Disk } from '../io/disk.js';
import { ledgerOwner } from '../io/ledgerOwner.js';
import { rootProblem } from '../io/rootMarker.js';
import type { FinalizeDoors, FinalizeInput } from './finalize.js';
import { moveMedia } from './moveMedia.js';

const SPOOL_MODE = 0o644;

export type UnsealOutcome = { readonly kind: 'unsealed'; readonly at: number } | Blocked;

/** Before the first capture of the second chance. Nothing to do where nothing was sealed. */
export async function unseal(
  { recording, outDir }: Pick<FinalizeInput, 'recording' | 'outDir'>,
  { disk, clock }: Pick<FinalizeDoors, 'disk' | 'clock'>,
): Promise<UnsealOutcome> {
  const at = clock.now();
  const code = await rootProblem(disk, outDir);
  if (code) return { kind: 'blocked', at, code, path: outDir.path };
  try {
    await takeBack(disk, recording);
    return { kind: 'unsealed', at };
  } catch (error) {
    if (diskCode(error) === 'UNKNOWN') throw error;
    return { kind: 'blocked', at, code: diskProblem(error), path: dirname(recording.spool) };
  }
}

async function takeBack(disk: Disk, { id, files, spool }: Recording): Promise<void> {
  // A published item stays where people watch it.
  if (files === null || files.ownsFolder) return;
  const owner = await ledgerOwner(disk, files.ledger);
  if (owner !== id) return;
  if ((await exists(disk, spool)) && (await disk.stat(spool)).bytes === 0) await disk.unlink(spool);
  if (await exists(disk, files.media)) {
    // Something newer is in the spool already: both are kept as they are.
    if ((await moveMedia(disk, files.media, spool, SPOOL_MODE)) === 'taken') return;
  }
  for (const path of [files.nfo, files.ledger]) if (await exists(disk, path)) await disk.unlink(path);
  await disk.syncFolder(files.folder);
}
