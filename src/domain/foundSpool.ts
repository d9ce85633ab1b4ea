/**
 * How a recording's facts are brought up to what its spool is found to hold, more or less than was known: after a crash,
 * a power cut, a person.
 */
import { hole, openAt, unaccountedSince, type Facts } from './capturing.js';
import type { Gap } from './ledger.js';
import type { Recording } from './recording.js';

/**
 * A spool that holds less than was known (a power cut took what was not synced, a person removed it): what is not there
 * is not claimed (P4).
 */
export function withinSpool(recording: Recording, bytes: number): Partial<Facts> {
  if (bytes >= recording.bytes) return {};
  const stretches = recording.stretches
    .filter(({ firstOffset }) => firstOffset < bytes)
    .map((stretch) => {
      const kept = Math.min(stretch.bytes, bytes - stretch.firstOffset);
      const share = stretch.bytes === 0 ? 0 : kept / stretch.bytes;
      const toAt = stretch.fromAt + Math.round((stretch.toAt - stretch.fromAt) * share);
      return { ...stretch, bytes: kept, toAt };
    });
  return { bytes, stretches };
}

/** What a spool was found to hold after a crash: its size, and when it was last written. */
export interface SpoolTail {
  readonly bytes: number;
  readonly writtenAt: number;
  /** How long the bytes play that nobody heard of, where their clock says so. */
  readonly unheardMs?: number;
  /** Where it was found, if that is not where it was looked for: it is of another container. */
  readonly path?: string;
}

/**
 * Brings the facts up to what the spool holds: the last stretch goes on to the last byte written, or becomes known at
 * all when the crash came before its first checkpoint.
 */
export function withSpoolTail(recording: Recording, tail: SpoolTail): Partial<Facts> {
  return { ...withFoundBytes(recording, tail), ...(tail.path !== undefined && { spool: tail.path }) };
}

function withFoundBytes(recording: Recording, tail: SpoolTail): Partial<Facts> {
  const last = recording.stretches.at(-1);
  if (tail.bytes <= recording.bytes) return {};
  if (last && recording.lastFault !== null) {
    // It had ended: these bytes are the beginning of another piece that nobody heard of.
    const silentSince = unaccountedSince(recording);
    const toAt = Math.max(silentSince, tail.writtenAt);
    const fromAt = Math.max(silentSince, toAt - (tail.unheardMs ?? 0));
    return {
      bytes: tail.bytes,
      lastFault: null,
      gaps: [...recording.gaps, ...silence(recording, silentSince, fromAt)],
      stretches: [
        ...recording.stretches,
        {
          fromAt,
          toAt,
          bytes: tail.bytes - recording.bytes,
          source: recording.current ?? last.source,
          firstOffset: recording.bytes,
        },
      ],
    };
  }
  if (last) {
    const grown = {
      ...last,
      bytes: tail.bytes - last.firstOffset,
      toAt: Math.max(last.toAt, tail.writtenAt),
    };
    return { bytes: tail.bytes, stretches: [...recording.stretches.slice(0, -1), grown] };
  }
  const source = recording.current ?? recording.upstreams[0];
  if (!source) return {};
  const fromAt = beganAt(recording, tail);
  return {
    bytes: tail.bytes,
    lastFault: null,
    gaps: [...recording.gaps, ...silence(recording, unaccountedSince(recording), fromAt)],
    stretches: [{ source, fromAt, toAt: tail.writtenAt, bytes: tail.bytes, firstOffset: 0 }],
  };
}

/** Of a first piece that nobody heard of: by its clock, no earlier than anybody asked for it. */
function beganAt(recording: Recording, { writtenAt, unheardMs }: SpoolTail): number {
  const askedAt = recording.startedAt ?? (unheardMs === undefined ? writtenAt : openAt(recording));
  return Math.min(writtenAt, Math.max(askedAt, writtenAt - (unheardMs ?? Infinity)));
}

/** What is missing before media that nobody heard of, where a fault is known that tells why. */
function silence(recording: Recording, fromAt: number, toAt: number): Gap[] {
  const { lastFault } = recording;
  return lastFault ? hole(recording, fromAt, toAt, lastFault.cause) : [];
}
