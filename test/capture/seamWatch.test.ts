/** What is missing within one connection is told at its length, however late the stream was sent or taken. */
import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { shiftClock } from '../../src/capture/restamp.js';
import { seamWatch, type Hole } from '../../src/capture/seamWatch.js';
import { CLOCK_HZ, CLOCK_WRAP, PACKET_BYTES } from '../../src/capture/tsPackets.js';
import { loopPackets, packetsDue, TICKS_PER_MS, type LoopClip } from '../../src/demo/loopTs.js';
import { loopClip } from '../media/clip.js';

const CHUNK_MS = 200;
let clip: LoopClip;
beforeAll(async () => {
  clip = await loopClip();
});

interface Silence {
  /** A multiple of CHUNK_MS, unless nothing comes late. */
  readonly ms: number;
  /** Nothing is taken for so long from a second before it on. */
  readonly heldMs: number;
}

/** Ten seconds of stream before and behind each silence, in which the provider sends nothing and drops what was on. */
function watched(silences: readonly Silence[], jumpsMs: readonly number[] = []) {
  const holes: Hole[] = [];
  const shifts: number[] = [];
  let seams = 0;
  const watch = seamWatch({
    onPackets: () => undefined,
    onSeam: () => (seams += 1),
    onShift: (ticks) => shifts.push(ticks),
    onHole: (hole) => holes.push(hole),
    onClock: () => undefined,
    onUnit: () => undefined,
  });
  const packetAt = (ms: number) => packetsDue(clip, ms * TICKS_PER_MS);
  let at = 100_000;
  let heldUntil = 0;
  let jumpedMs = 0;
  const play = (ms: number, held: Silence | undefined) => {
    for (const end = at + ms; at < end; at += CHUNK_MS) {
      if (held && at === end - 1_000) heldUntil = at + held.heldMs;
      const bytes = Buffer.from(loopPackets(clip, packetAt(at), packetAt(at + CHUNK_MS)));
      for (let packet = 0; packet < bytes.length; packet += PACKET_BYTES)
        shiftClock(bytes, packet, jumpedMs * TICKS_PER_MS);
      watch.push(bytes, 0, bytes.length, Math.max(heldUntil, at + CHUNK_MS));
    }
  };
  for (const silence of silences) {
    play(10_000, silence);
    at += silence.ms;
  }
  play(30_000, undefined);
  for (const ms of jumpsMs) {
    jumpedMs += ms;
    play(10_000, undefined);
  }
  watch.end();
  return { holes, seams, shifts };
}

it('whatever of it was taken late', () => {
  const silence = fc.record({
    ms: fc.integer({ min: 10, max: 90 }).map((steps) => steps * CHUNK_MS),
    heldMs: fc.integer({ min: 0, max: 100 }).map((steps) => steps * CHUNK_MS),
  });
  fc.assert(
    fc.property(fc.array(silence, { minLength: 1, maxLength: 3 }), (silences) => {
      const { holes, seams, shifts } = watched(silences);
      expect(seams).toBe(0);
      expect(shifts).toEqual([]);
      expect(holes).toHaveLength(silences.length);
      holes.forEach((hole, index) =>
        expect(Math.abs(hole.seconds * 1_000 - (silences[index]?.ms ?? 0))).toBeLessThan(2 * CHUNK_MS),
      );
    }),
    { numRuns: 40 },
  );
});

it('where it is short as well', () => {
  for (const ms of [240, 320, 480]) {
    const { holes, seams, shifts } = watched([{ ms, heldMs: 0 }]);
    expect({ seams, shifts }).toEqual({ seams: 0, shifts: [] });
    expect(holes).toHaveLength(1);
    expect(Math.abs((holes[0]?.seconds ?? 0) * 1_000 - ms)).toBeLessThan(60);
  }
});

it('and nothing is missing where it is the clock alone that jumps ahead', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 700, max: 7_000 }), { minLength: 1, maxLength: 3 }), (jumpsMs) => {
      const { holes, seams, shifts } = watched([], jumpsMs);
      expect({ seams, holes }).toEqual({ seams: 0, holes: [] });
      expect(shifts).toHaveLength(jumpsMs.length);
      shifts.forEach((ticks, n) => {
        const backTicks = ((jumpsMs[n] ?? 0) * CLOCK_HZ) / 1_000;
        expect(Math.abs(CLOCK_WRAP - ticks - backTicks)).toBeLessThan(CLOCK_HZ / 20);
      });
    }),
    { numRuns: 30 },
  );
});
