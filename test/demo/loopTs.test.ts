import { beforeAll, describe, expect, it } from 'vitest';
import { tsHealth } from '../../src/capture/tsHealth.js';
import { entryAt, loopPackets, packetsDue, type LoopClip } from '../../src/demo/loopTs.js';
import { loopClip } from '../media/clip.js';
import { breaksOf, decode } from '../media/frames.js';

let clip: LoopClip;
beforeAll(async () => {
  clip = await loopClip();
});

function clean(bytes: Buffer) {
  const health = tsHealth();
  health.count(bytes, 0, bytes.length);
  const { continuityErrors, clockJumps, syncLosses } = health.counts();
  return { continuityErrors, clockJumps, syncLosses };
}
const SPOTLESS = { continuityErrors: 0, clockJumps: 0, syncLosses: 0 };

describe('a looped clip', () => {
  it('decodes over its joints without an error and without a frame too few or too many', async () => {
    const bytes = loopPackets(clip, 0, 3 * clip.count);
    const { frames, errors } = await decode(bytes, 'warning');
    expect(errors).toEqual([]);
    expect(frames).toHaveLength(3 * 160);
    expect(breaksOf(frames, 160)).toEqual([]);
    expect(clean(bytes)).toEqual(SPOTLESS);
  });

  it('goes over the wrap of the 33-bit clock', async () => {
    const bytes = loopPackets(clip, 0, 2 * clip.count, 2 ** 33 - clip.durationTicks);
    expect(clean(bytes)).toEqual(SPOTLESS);
    expect((await decode(bytes)).frames).toHaveLength(320);
  });

  it('is exactly as long as its frames, in sound as in picture', () => {
    expect(clip.durationTicks).toBe(6.4 * 90_000);
    expect(clip.keys).toHaveLength(8);
  });

  it('gives the same bytes for the same moment, however it is cut', () => {
    const whole = loopPackets(clip, 0, 2 * clip.count);
    const cut = clip.count + 7;
    const parts = [loopPackets(clip, 0, cut), loopPackets(clip, cut, 2 * clip.count)];
    expect(Buffer.concat(parts).equals(whole)).toBe(true);
  });

  it('is due at an even pace', () => {
    expect(packetsDue(clip, 0)).toBeGreaterThan(0);
    const half = packetsDue(clip, clip.durationTicks / 2);
    expect(packetsDue(clip, clip.durationTicks * 7.5)).toBe(7 * clip.count + half);
  });

  it.each([0, 0.3, 6.39, 6.41, 100])('can be entered at %d s with a key frame and its tables', async (at) => {
    const entry = entryAt(clip, at * 90_000);
    const due = packetsDue(clip, at * 90_000);
    expect(entry.key).toBeLessThanOrEqual(due);
    const tables = entry.tables.map((number) => loopPackets(clip, number, number + 1));
    const bytes = Buffer.concat([...tables, loopPackets(clip, entry.key, entry.key + clip.count)]);
    const { frames } = await decode(bytes);
    expect((frames[0] ?? -1) % 20).toBe(0);
    expect(breaksOf(frames, 160)).toEqual([]);
  });
});
