/** What is missing within one connection is told at its length, however late the stream was sent or taken. */
import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { seamWatch, type Hole } from '../../src/capture/seamWatch.js';
import { loopPackets, packetsDue, TICKS_PER_MS, type LoopClip } from '../../src/demo/loopTs.js';
import { loopClip } from '../media/clip.js';

const CHUNK_MS = 200;
let clip: LoopClip;
beforeAll(async () => {
  clip = await loopClip();
});

interface Silence {
  readonly ms: number;
  /** Nothing is taken for so long from a second before it on. */
  readonly heldMs: number;
}

/** Ten seconds of stream before and behind each silence, in which the provider sends nothing and drops what was on. */
function watched(silences: readonly Silence[]): { holes: Hole[]; seams: number } {
  const holes: Hole[] = [];
  let seams = 0;
  const watch = seamWatch({
    onPackets: () => undefined,
    onSeam: () => (seams += 1),
    onShift: () => (seams += 1),
    onHole: (hole) => holes.push(hole),
    onClock: () => undefined,
    onUnit: () => undefined,
  });
  const packetAt = (ms: number) => packetsDue(clip, ms * TICKS_PER_MS);
  let at = 100_000;
  let heldUntil = 0;
  const play = (ms: number, held: Silence | undefined) => {
    for (const end = at + ms; at < end; at += CHUNK_MS) {
      if (held && at === end - 1_000) heldUntil = at + held.heldMs;
      const bytes = loopPackets(clip, packetAt(at), packetAt(at + CHUNK_MS));
      watch.push(bytes, 0, bytes.length, Math.max(heldUntil, at + CHUNK_MS));
    }
  };
  for (const silence of silences) {
    play(10_000, silence);
    at += silence.ms;
  }
  play(30_000, undefined);
  watch.end();
  return { holes, seams };
}

it('whatever of it was taken late', () => {
  const silence = fc.record({
    ms: fc.integer({ min: 10, max: 90 }).map((steps) => steps * CHUNK_MS),
    heldMs: fc.integer({ min: 0, max: 100 }).map((steps) => steps * CHUNK_MS),
  });
  fc.assert(
    fc.property(fc.array(silence, { minLength: 1, maxLength: 3 }), (silences) => {
      const { holes, seams } = watched(silences);
      expect(seams).toBe(0);
      expect(holes).toHaveLength(silences.length);
      holes.forEach((hole, index) =>
        expect(Math.abs(hole.seconds * 1_000 - (silences[index]?.ms ?? 0))).toBeLessThan(2 * CHUNK_MS),
      );
    }),
    { numRuns: 40 },
  );
});
