/** The units of one stream as a look at it finds them: each with a hash of what it shows, whoever multiplexed it. */
import { createHash } from 'node:crypto';
import { STREAM_H264, STREAM_HEVC } from './psi.js';

/** A unit of the leading stream: a picture, or a packet of sound where there is no picture. */
export interface LeadUnit {
  readonly hash: string;
  /** 90 kHz ticks; PTS where no DTS is given; -1 where neither is. */
  readonly dts: number;
  readonly key: boolean;
  readonly bytes: number;
  /** The counter says that packets of it are missing, or there twice. */
  readonly torn: boolean;
}

export interface ScanUnits {
  /** Those that are over, in their order. */
  readonly units: readonly LeadUnit[];
  /** A unit begins. */
  open(type: number, dts: number, key: boolean): void;
  /** Payload of the one that is open, if one is. */
  add(payload: Buffer): void;
  /** What is open is not whole. */
  tear(): void;
  /** The one that is open is over. */
  close(): void;
  /** What came so far is of another clock. */
  forget(): void;
  /** Whether any began. */
  begun(): boolean;
}

export function scanUnits(): ScanUnits {
  const units: LeadUnit[] = [];
  let begun = false;
  let gathered: Buffer[] = [];
  let current: { readonly dts: number; readonly key: boolean; readonly type: number; torn: boolean } | null =
    null;
  return {
    units,
    open(type, dts, key) {
      begun = true;
      current = { dts, key, type, torn: false };
    },
    add(payload) {
      if (current) gathered.push(payload);
    },
    tear() {
      if (current) current.torn = true;
    },
    close() {
      if (current) {
        const pes = Buffer.concat(gathered);
        const { dts, key, torn, type } = current;
        units.push({ hash: hashOf(pes, type), dts, key, torn, bytes: pes.length });
      }
      current = null;
      gathered = [];
    },
    forget() {
      units.length = 0;
    },
    begun: () => begun,
  };
}

export function payloadOf(pes: Buffer): Buffer {
  return pes.subarray(Math.min(pes.length, 9 + (pes[8] ?? 0)));
}

/**
 * What a PES packet carries, whoever multiplexed it: of H.264 and HEVC the slices alone, for multiplexers put in and
 * take out delimiters, parameter sets and SEI (PROTOCOLS §6.2).
 */
function hashOf(pes: Buffer, type: number): string {
  const payload = payloadOf(pes);
  const hash = createHash('sha1');
  if (type !== STREAM_H264 && type !== STREAM_HEVC) return hash.update(payload).digest('base64');
  const START = '\0\0\u0001';
  let slices = 0;
  let start = payload.indexOf(START, 0, 'latin1');
  while (start >= 0) {
    const next = payload.indexOf(START, start + 3, 'latin1');
    const head = payload[start + 3] ?? 0;
    const isSlice =
      type === STREAM_H264 ? (head & 0x1f) >= 1 && (head & 0x1f) <= 5 : ((head >> 1) & 0x3f) < 32;
    if (isSlice) {
      let end = next < 0 ? payload.length : next;
      // The zero of a longer start code, and what stuffs a unit, belong to no slice.
      while (end > start && payload[end - 1] === 0) end--;
      hash.update(payload.subarray(start + 3, end));
      slices++;
    }
    start = next;
  }
  return slices > 0 ? hash.digest('base64') : createHash('sha1').update(payload).digest('base64');
}
