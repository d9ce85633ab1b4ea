/** Where fragmented MP4 can be begun: found while it grows as in the whole, and playable from every one of them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { segmentsOf } from '../../src/api/playlist.js';
import { mp4IndexOf, NOTHING_READ, readFragments } from '../../src/capture/mp4Index.js';
import { fragmentedClip } from '../media/clip.js';
import { decode } from '../media/frames.js';

const reader = (file: Buffer) => async (offset: number, length: number) =>
  Promise.resolve(file.subarray(offset, offset + length));

it('is known while it grows as it is in the end, whatever of it is there at each look', async () => {
  const { init, fragments } = await fragmentedClip({ seconds: 16 });
  const file = Buffer.concat([init, ...fragments]);
  const whole = await readFragments(reader(file), NOTHING_READ, file.length);
  expect(whole.init).toEqual(init);
  expect(whole.fragments).toHaveLength(fragments.length);
  expect(whole.bytes).toBe(file.length);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat({ max: file.length }), { maxLength: 8 }), async (looks) => {
      let facts = NOTHING_READ;
      for (const bytes of [...looks.toSorted((a, b) => a - b), file.length]) {
        facts = await readFragments(reader(file.subarray(0, bytes)), facts, bytes);
        expect(facts.bytes).toBeLessThanOrEqual(bytes);
      }
      expect(facts).toEqual(whole);
    }),
    { numRuns: 40 },
  );
});

it('plays from every part of its playlist, each going on where the one before ended', async ({
  onTestFinished,
}) => {
  const folder = mkdtempSync(join(tmpdir(), 'catchupd-mp4-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const { init, fragments } = await fragmentedClip({ seconds: 32 });
  const file = Buffer.concat([init, ...fragments]);
  const facts = await readFragments(reader(file), NOTHING_READ, file.length);
  const parts = segmentsOf(mp4IndexOf(facts, 0), true);
  expect(parts.length).toBeGreaterThan(2);
  let next = 0;
  for (const { offset, bytes, durationMs } of parts) {
    const path = join(folder, `${offset}.mp4`);
    writeFileSync(path, Buffer.concat([init, file.subarray(offset, offset + bytes)]));
    const { frames, errors } = await decode(path, 'error', 'mp4');
    expect(errors).toEqual([]);
    expect(frames[0]).toBe(next);
    expect(Math.abs(durationMs - frames.length * 40)).toBeLessThan(100);
    next = (frames.at(-1) ?? 0) + 1;
  }
  expect(next).toBe(32 * 25);
});

it('says where it jumps, and how much of it plays before', async () => {
  const { init, fragments } = await fragmentedClip({ seconds: 16 });
  const holed = Buffer.concat([init, ...fragments.slice(0, 4), ...fragments.slice(8)]);
  const { points } = mp4IndexOf(await readFragments(reader(holed), NOTHING_READ, holed.length), 0);
  const jumps = points.flatMap(({ discontinuity }, n) => (discontinuity ? [n] : []));
  expect(jumps).toEqual([4]);
  const [before, after] = [points[3], points[4]];
  const holeMs = (after?.atMs ?? 0) - (before?.atMs ?? 0) - (before?.durationMs ?? 0);
  const lengthMs = (16_000 / fragments.length) * 4;
  expect(Math.abs(holeMs - lengthMs)).toBeLessThan(100);
});

it('is what an old or strange section says too: nothing where there is no picture to begin with', async () => {
  const facts = await readFragments(reader(Buffer.from('not a box at all, nor two')), NOTHING_READ, 25);
  expect(mp4IndexOf(facts, 0)).toEqual({ startedAt: 0, points: [], bytes: 0, initBytes: 0 });
});
