import { describe, expect, it } from 'vitest';
import { ALIVE, DEAD_MS, isDead, takePulse, type ContentSample } from '../../src/domain/deadContent.js';

/** A second of an ordinary channel. */
const LIVING: Omit<ContentSample, 'fromMs' | 'toMs'> = {
  packets: 2_600,
  content: 2_500,
  scrambled: 0,
  zeros: 3,
  clockMoved: true,
  pictures: 22,
  picturesAgain: 0,
  sounds: 40,
  soundsAgain: 0,
};

type Second = Partial<typeof LIVING>;

/** Seconds one after another; what is thought of them in the end. */
function pulseAfter(...seconds: readonly Second[]) {
  return seconds.reduce(
    (pulse: typeof ALIVE, second, n) =>
      takePulse(pulse, { ...LIVING, ...second, fromMs: 1000 * n, toMs: 1000 * (n + 1) }),
    ALIVE,
  );
}

const times = (count: number, second: Second): Second[] => Array.from({ length: count }, () => second);

describe('content that is dead', () => {
  it.each<[string, Second]>([
    ['padding', { content: 2 }],
    ['trickle', { packets: 4, content: 4 }],
    ['clock', { clockMoved: false }],
    ['zeros', { zeros: 2_490 }],
    ['repeats', { picturesAgain: 22, soundsAgain: 39 }],
    ['repeats', { picturesAgain: 22, sounds: 0 }],
  ])('shows as %s, and counts after 20 seconds of nothing else', (sign, second) => {
    const almost = pulseAfter({}, ...times(19, second));
    expect(almost).toMatchObject({ deadSinceMs: 1_000, sign });
    expect(isDead(almost, 20_000)).toBe(false);
    const after = pulseAfter({}, ...times(20, second));
    expect(isDead(after, 1_000 + DEAD_MS)).toBe(true);
  });

  it('is scrambled where more than a twentieth of it is for ten seconds', () => {
    const scrambled = { scrambled: 150 };
    expect(pulseAfter(...times(8, scrambled)).sign).toBeNull();
    expect(pulseAfter(...times(10, scrambled))).toMatchObject({ sign: 'scrambled', deadSinceMs: 0 });
    expect(pulseAfter(...times(30, { scrambled: 120 })).sign).toBeNull();
    expect(pulseAfter(...times(9, scrambled), {}).sign).toBeNull();
  });

  it('is forgotten with the first second that lives', () => {
    const pulse = pulseAfter(...times(19, { clockMoved: false }), {}, ...times(5, { content: 0 }));
    expect(pulse).toMatchObject({ deadSinceMs: 20_000, sign: 'padding' });
  });
});

describe('content that lives', () => {
  it.each<[string, Second]>([
    ['a still picture with sound', { pictures: 0, sounds: 40 }],
    ['a still picture without', { pictures: 1, picturesAgain: 1, sounds: 0, content: 30, packets: 30 }],
    ['a moving card with sound that is new', { picturesAgain: 22, soundsAgain: 4 }],
    ['silence over pictures', { soundsAgain: 40 }],
    ['thin radio in a wide multiplex', { packets: 3_300, content: 16, pictures: 0, sounds: 8 }],
    ['radio that is silent', { packets: 90, content: 88, pictures: 0, soundsAgain: 40 }],
    ['a slow film', { content: 300, pictures: 4, picturesAgain: 0 }],
    ['a few packets that nobody can read', { scrambled: 20 }],
  ])('%s is no reason for anything', (_name, second) => {
    expect(pulseAfter(...times(60, second))).toMatchObject({ deadSinceMs: null, sign: null });
  });
});
