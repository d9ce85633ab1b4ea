/** The sections of one connection, put together. */
import type { CapturePiece, PieceSplice } from '../domain/capture.js';
import { addTs } from '../domain/ledger.js';

/** The sections of a connection as the one piece that they are: joints between them are splices of the provider's. */
export function wholePiece(
  pieces: readonly CapturePiece[],
  shifts: readonly PieceSplice[],
): CapturePiece | null {
  const [first] = pieces;
  const last = pieces.at(-1);
  if (!first || !last) return null;
  const joints = pieces.slice(1).map(({ fromAt, join }) => ({
    at: fromAt,
    removedOverlapS: join?.removedOverlapS ?? 0,
    approximate: join?.approximate ?? true,
    gapS: join?.gapS ?? 0,
  }));
  const splices = [...joints, ...shifts].toSorted((a, b) => a.at - b.at);
  return {
    ...first,
    bytes: last.firstOffset + last.bytes - first.firstOffset,
    toAt: last.toAt,
    goodMs: pieces.reduce((sum, { goodMs }) => sum + goodMs, 0),
    ts: pieces.map(({ ts }) => ts).reduce(addTs),
    ...(splices.length > 0 && { splices }),
  };
}
