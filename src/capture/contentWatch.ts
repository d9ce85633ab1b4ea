/**
 * Counts, as a stream passes, what tells whether it is worth anything; `src/domain/deadContent.ts` judges. Every fourth
 * packet is looked at for what it carries, and the beginning of every unit for what it shows: enough to see a card that
 * is shown again and again, for next to nothing.
 */
import { ALIVE, isDead, takePulse, type DeadSign } from '../domain/deadContent.js';
import { isKey } from './keyFrame.js';
import type { ElementaryStream } from './psi.js';
import { NULL_PID, PACKET_BYTES, payloadAt } from './tsPackets.js';

export interface ContentWatch {
  /** Whole packets as they come. */
  packets(buffer: Buffer, from: number, to: number, mono: number): void;
  /** A unit of sound or pictures begins in this packet. */
  unit(buffer: Buffer, at: number, stream: ElementaryStream): void;
  /** A clock or time stamp came: another one than the last, or the same again. */
  clock(moved: boolean): void;
  /** Spans in which it was worth nothing, monotonic; the last one may go on. Short ones do not count. */
  spans(): readonly DeadSpan[];
}

export interface DeadSpan {
  readonly fromMs: number;
  readonly toMs: number;
  readonly sign: DeadSign;
}

const SAMPLE_MS = 1_000;
const STRIDE_BYTES = 4 * PACKET_BYTES;
/** Cards are no longer; and the demo, tests and lazy channels show longer clips again without being dead. */
const AGAIN_MS_MAX = 6_000;
/** What a unit shows is in its first packet; one that leaves room there says little. */
const RICH_BYTES_MIN = 150;
const HASHED_BYTES = 96;

interface Kind {
  seen: number;
  again: number;
  /** When what a unit shows was there last. */
  readonly last: Map<number, number>;
}

/** `onDead` is called once, when it was dead for long enough. */
export function contentWatch(onDead: (sign: DeadSign) => void): ContentWatch {
  let pulse = ALIVE;
  let told = false;
  let spans: DeadSpan[] = [];
  let sinceMs = Number.NaN;
  let nowMs = 0;
  let packets = 0;
  let looked = 0;
  let content = 0;
  let scrambled = 0;
  let zeros = 0;
  let moved = false;
  let clockSeen = false;
  let next = 0;
  const pictures: Kind = { seen: 0, again: 0, last: new Map() };
  const sounds: Kind = { seen: 0, again: 0, last: new Map() };

  function look(buffer: Buffer, at: number): void {
    looked++;
    const pid = (((buffer[at + 1] ?? 0) & 0x1f) << 8) | (buffer[at + 2] ?? 0);
    const b3 = buffer[at + 3] ?? 0;
    if (pid === NULL_PID || pid < 0x20 || (b3 & 0x10) === 0) return;
    content++;
    if ((b3 & 0xc0) !== 0) scrambled++;
    const end = at + PACKET_BYTES;
    let byte = Math.max(payloadAt(buffer, at), end - 32);
    while (byte < end && buffer[byte] === 0) byte++;
    if (byte === end) zeros++;
  }

  function endSample(mono: number): void {
    const scale = looked === 0 ? 0 : packets / looked;
    pulse = takePulse(pulse, {
      fromMs: sinceMs,
      toMs: mono,
      packets,
      content: content * scale,
      scrambled: scrambled * scale,
      zeros: zeros * scale,
      clockMoved: moved || !clockSeen,
      pictures: pictures.seen,
      picturesAgain: pictures.again,
      sounds: sounds.seen,
      soundsAgain: sounds.again,
    });
    sinceMs = mono;
    packets = looked = content = scrambled = zeros = 0;
    moved = false;
    for (const kind of [pictures, sounds]) {
      kind.seen = kind.again = 0;
      for (const [hash, at] of kind.last) if (mono - at > AGAIN_MS_MAX) kind.last.delete(hash);
    }
    if (!isDead(pulse, mono) || pulse.deadSinceMs === null || pulse.sign === null) return;
    const { deadSinceMs: fromMs, sign } = pulse;
    spans = [...spans.filter((span) => span.fromMs !== fromMs), { fromMs, toMs: mono, sign }];
    if (!told) onDead(sign);
    told = true;
  }

  function note(kind: Kind, hash: number): void {
    const before = kind.last.get(hash);
    kind.seen++;
    if (before !== undefined && nowMs - before <= AGAIN_MS_MAX) kind.again++;
    kind.last.set(hash, nowMs);
  }

  return {
    packets(buffer, from, to, mono) {
      if (Number.isNaN(sinceMs)) sinceMs = mono;
      if (mono - sinceMs >= SAMPLE_MS) endSample(mono);
      nowMs = mono;
      packets += (to - from) / PACKET_BYTES;
      let at = from + next;
      for (; at < to; at += STRIDE_BYTES) look(buffer, at);
      next = at - to;
    },
    unit(buffer, at, { kind, type }) {
      const payload = payloadAt(buffer, at);
      const data = payload + 9 + (buffer[payload + 8] ?? 0);
      const end = at + PACKET_BYTES;
      if (kind === 'audio')
        return data < end ? note(sounds, hashOf(buffer, Math.max(data, end - 32), end)) : undefined;
      if (end - data < RICH_BYTES_MIN || isKey(buffer, at, type)) return;
      note(pictures, hashOf(buffer, end - HASHED_BYTES, end));
    },
    clock(isNew) {
      clockSeen = true;
      moved ||= isNew;
    },
    spans() {
      const last = spans.at(-1);
      // What came since the last second was counted is no better.
      return last && last.fromMs === pulse.deadSinceMs
        ? [...spans.slice(0, -1), { ...last, toMs: nowMs }]
        : spans;
    },
  };
}

/** FNV-1a. */
function hashOf(buffer: Buffer, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ (buffer[at] ?? 0), 0x01000193);
  return hash;
}
