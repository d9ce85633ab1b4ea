import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { playlistText, segmentsOf } from '../../src/api/playlist.js';
import type { MediaIndex } from '../../src/domain/mediaIndex.js';

/** Points as a capture makes them: some packets and some time apart, now and then a hole. */
const gaps = fc.array(
  fc.record({
    packets: fc.integer({ min: 1, max: 40_000 }),
    ms: fc.integer({ min: 20, max: 25_000 }),
    hole: fc.boolean(),
  }),
  { maxLength: 60 },
);

function indexOf(
  steps: readonly { packets: number; ms: number; hole: boolean }[],
  points: number,
): MediaIndex {
  let offset = 0;
  let atMs = 0;
  const all = steps.map(({ packets, ms, hole }) => {
    const point = { offset, atMs, durationMs: ms, discontinuity: hole && offset > 0 };
    offset += packets * 188;
    atMs += ms + (hole ? 5_000 : 0);
    return { point, end: offset };
  });
  const known = all.slice(0, points);
  return {
    startedAt: 1_700_000_000_000,
    points: known.map(({ point }) => point),
    bytes: known.at(-1)?.end ?? 0,
    initBytes: 0,
  };
}

describe('the playlist of a recording', () => {
  it('is cut in whole packets, without a hole, in parts of ten seconds at most', () => {
    fc.assert(
      fc.property(gaps, (steps) => {
        const index = indexOf(steps, steps.length);
        const parts = segmentsOf(index, true);
        let at = index.points[0]?.offset ?? 0;
        for (const { offset, bytes, durationMs } of parts) {
          expect(offset).toBe(at);
          expect(bytes % 188).toBe(0);
          expect(durationMs).toBeLessThanOrEqual(10_000);
          at += bytes;
        }
        expect(at).toBe(index.bytes);
        const played = index.points.reduce((sum, { durationMs }) => sum + durationMs, 0);
        expect(parts.reduce((sum, { durationMs }) => sum + durationMs, 0)).toBeCloseTo(played, 3);
      }),
    );
  });

  it('only ever grows at its end, and ends when the recording does', () => {
    fc.assert(
      fc.property(gaps, fc.nat(), (steps, cut) => {
        const early = playlistText(
          segmentsOf(indexOf(steps, cut % (steps.length + 1)), false),
          '../1a2b3c4d',
          false,
        );
        const late = playlistText(segmentsOf(indexOf(steps, steps.length), false), '../1a2b3c4d', false);
        const done = playlistText(segmentsOf(indexOf(steps, steps.length), true), '../1a2b3c4d', true);
        expect(late.startsWith(early)).toBe(true);
        expect(done.startsWith(late)).toBe(true);
        expect(done.endsWith('#EXT-X-ENDLIST\n')).toBe(true);
        expect(late).not.toContain('ENDLIST');
      }),
    );
  });

  it('says where the clock jumps, when that was, and where the bytes are', () => {
    const steps = [
      { packets: 10, ms: 4_000, hole: false },
      { packets: 10, ms: 4_000, hole: false },
      { packets: 10, ms: 3_000, hole: true },
    ];
    expect(
      playlistText(segmentsOf(indexOf(steps, 3), true), '../1a2b3c4d?token=x', true).split('\n'),
    ).toEqual([
      '#EXTM3U',
      '#EXT-X-VERSION:4',
      '#EXT-X-TARGETDURATION:10',
      '#EXT-X-PLAYLIST-TYPE:EVENT',
      '#EXT-X-MEDIA-SEQUENCE:0',
      '#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:20.000Z',
      '#EXTINF:8.000,',
      '#EXT-X-BYTERANGE:3760@0',
      '../1a2b3c4d?token=x',
      '#EXT-X-DISCONTINUITY',
      '#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:28.000Z',
      '#EXTINF:3.000,',
      '#EXT-X-BYTERANGE:1880@3760',
      '../1a2b3c4d?token=x',
      '#EXT-X-ENDLIST',
      '',
    ]);
  });
});
