/** Fragments made anew for a file that began with another section: nothing of them is lost, and nothing in them can hurt. */
import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { timesOf } from '../../src/capture/mp4Boxes.js';
import { remade } from '../../src/capture/mp4Remake.js';
import { samplesOf } from '../../src/capture/mp4Samples.js';
import { wayInto } from '../../src/capture/mp4Setup.js';
import { fragmentedClip } from '../media/clip.js';

type Clip = Awaited<ReturnType<typeof fragmentedClip>>;
let file: Clip;
let other: Clip;

beforeAll(async () => {
  file = await fragmentedClip();
  other = await fragmentedClip({ width: 480, height: 270, encoder: '-bf 2' }, '-video_track_timescale 12800');
});

it('keeps each sample and every time, counted as the file counts', () => {
  const way = wayInto(file.init, other.init);
  expect(way?.kind).toBe('turned');
  for (const fragment of other.fragments) {
    const made = way && remade(fragment, other.init, way, false);
    const [before, after] = [samplesOf(fragment, other.init), made && samplesOf(made, file.init)];
    expect(after?.map(({ samples }) => samples.map(({ data }) => data))).toEqual(
      before?.map(({ samples }) => samples.map(({ data }) => data)),
    );
    const seconds = (times: ReturnType<typeof timesOf>, scales: readonly number[]) =>
      times.map(({ begin, end }, n) => [begin, end].map((ticks) => Number(ticks) / (scales[n] ?? 1)));
    const [was, is] = [
      seconds(timesOf(fragment, other.init), [12_800, 48_000]),
      seconds(timesOf(made ?? Buffer.alloc(0), file.init), [90_000, 48_000]),
    ];
    for (const [n, times] of is.entries())
      for (const [edge, at] of times.entries()) expect(at).toBeCloseTo(was[n]?.[edge] ?? Number.NaN, 4);
  }
});

it('meets damage anywhere with nothing worse than a RangeError', () => {
  const [fragment = Buffer.alloc(0)] = other.fragments;
  const damage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), {
    minLength: 1,
    maxLength: 6,
  });
  fc.assert(
    fc.property(damage, damage, fc.boolean(), (inInit, inFragment, withSets) => {
      const [init, media] = [Buffer.from(other.init), Buffer.from(fragment)];
      for (const [at, byte] of inInit) init[at % init.length] = byte;
      // Heads of a fragment are where it can be misread.
      for (const [at, byte] of inFragment) media[at % 1_200] = byte;
      try {
        const way = wayInto(file.init, init);
        if (way) remade(media, init, way, withSets);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }),
    { numRuns: 400 },
  );
});
