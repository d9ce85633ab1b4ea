/**
 * Whether a stream that comes is worth anything: pure judgement of what was counted of it, second by second. Providers
 * keep a connection open with padding, a clock that stands, or a card in a loop where they should say that nothing is
 * there. Still pictures, radio and slow films are not that: only what no encoder makes of a living source counts.
 */

/** About one second of a stream. */
export interface ContentSample {
  /** Monotonic. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly packets: number;
  /** Packets that carry something of sound or pictures; of those the scrambled ones, and those of zeros alone. */
  readonly content: number;
  readonly scrambled: number;
  readonly zeros: number;
  /** Whether any clock or time stamp went on. */
  readonly clockMoved: boolean;
  /** Pictures that differ from the last and say much; of those the ones that were there a few seconds before. */
  readonly pictures: number;
  readonly picturesAgain: number;
  readonly sounds: number;
  readonly soundsAgain: number;
}

export type DeadSign = 'padding' | 'trickle' | 'scrambled' | 'clock' | 'zeros' | 'repeats';

export interface Pulse {
  /** Since when every second was dead; null while it lives. */
  readonly deadSinceMs: number | null;
  readonly sign: DeadSign | null;
  /** What is needed of the past, oldest first. */
  readonly recent: readonly ContentSample[];
}

/** So long it must have been dead before that counts. */
export const DEAD_MS = 20_000;
const SCRAMBLED_MS = 10_000;
const SCRAMBLED_SHARE = 0.05;
/** A packet of sound or pictures has 184 bytes: below this there are under 8 kbit/s, less than the thinnest radio. */
const CONTENT_PACKETS_S_MIN = 5;
const PADDING_SHARE = 0.9;
const ZEROS_SHARE = 0.99;
/** A still picture says next to nothing between its key frames; a card that moves says something several times a second. */
const PICTURES_S_MIN = 4;
const AGAIN_SHARE = 0.95;

export const ALIVE: Pulse = { deadSinceMs: null, sign: null, recent: [] };

export function takePulse(pulse: Pulse, sample: ContentSample): Pulse {
  const recent = [...pulse.recent, sample].filter(({ toMs }) => toMs > sample.toMs - SCRAMBLED_MS);
  const scrambled = isScrambled(recent);
  const sign = scrambled ? 'scrambled' : signOf(sample);
  if (sign === null) return { deadSinceMs: null, sign: null, recent };
  const since = scrambled ? (recent[0]?.fromMs ?? sample.fromMs) : sample.fromMs;
  return { deadSinceMs: pulse.deadSinceMs ?? since, sign, recent };
}

/** Whether it was dead for so long that it counts, at `atMs`. */
export function isDead({ deadSinceMs }: Pulse, atMs: number): boolean {
  return deadSinceMs !== null && atMs - deadSinceMs >= DEAD_MS;
}

function isScrambled(recent: readonly ContentSample[]): boolean {
  const sum = (of: (sample: ContentSample) => number) => recent.reduce((total, one) => total + of(one), 0);
  const spanMs = (recent.at(-1)?.toMs ?? 0) - (recent[0]?.fromMs ?? 0);
  const content = sum((one) => one.content);
  return (
    spanMs >= SCRAMBLED_MS - 1_500 &&
    content > 0 &&
    sum((one) => one.scrambled) > SCRAMBLED_SHARE * content &&
    recent.every(({ scrambled }) => scrambled > 0)
  );
}

function signOf(sample: ContentSample): DeadSign | null {
  const { fromMs, toMs, packets, content, zeros, clockMoved } = sample;
  const perSecond = (count: number) => (1000 * count) / Math.max(1, toMs - fromMs);
  if (packets === 0) return null;
  if (perSecond(content) < CONTENT_PACKETS_S_MIN)
    return packets - content > PADDING_SHARE * packets ? 'padding' : 'trickle';
  if (!clockMoved) return 'clock';
  if (zeros > ZEROS_SHARE * content) return 'zeros';
  return repeats(sample, perSecond) ? 'repeats' : null;
}

/** Sound that is new is a programme, whatever the picture does. */
function repeats(sample: ContentSample, perSecond: (count: number) => number): boolean {
  const { pictures, picturesAgain, sounds, soundsAgain } = sample;
  return (
    perSecond(pictures) >= PICTURES_S_MIN &&
    picturesAgain >= AGAIN_SHARE * pictures &&
    soundsAgain >= AGAIN_SHARE * sounds
  );
}
