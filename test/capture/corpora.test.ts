/**
 * The laws of the joiner over what streams are made of: pieces of one encode, cut anywhere, that overlap, give the file
 * that one connection had given. Every payload once, one counter and one clock a PID, and a decoder has nothing to say.
 */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { PACKET_BYTES } from '../../src/capture/tsPackets.js';
import { clipBytes } from '../media/clip.js';
import { decode } from '../media/frames.js';
import { eachPacket, faultsOf, payloads, recordPiece, recordPieces, remuxed } from './spoolOfPieces.js';
import { withTeletext } from './teletext.js';

type Shape = Parameters<typeof clipBytes>[0];

/** Without random access flags, as some encoders send it. */
function unflagged(bytes: Buffer): Buffer {
  const bare = Buffer.from(bytes);
  eachPacket(bare, (at) => {
    if (((bare[at + 3] ?? 0) & 0x20) !== 0 && (bare[at + 4] ?? 0) > 0)
      bare[at + 5] = (bare[at + 5] ?? 0) & 0xbf;
  });
  return bare;
}

const same = (bytes: Buffer) => bytes;
const CORPORA: [string, Shape, (bytes: Buffer) => Buffer][] = [
  ['H.264, B-frames, open groups', { encoder: '-bf 3 -b_strategy 0 -x264-params open-gop=1' }, same],
  [
    'MPEG-2 with MPEG sound',
    { codec: 'mpeg2video', encoder: '-bf 2', muxer: '-muxdelay 0.4 -c:a mp2' },
    same,
  ],
  [
    'HEVC',
    { codec: 'libx265', encoder: '-x265-params log-level=error:keyint=20:min-keyint=20:bframes=3' },
    same,
  ],
  ['AC-3', { encoder: '-bf 2 -b_strategy 0', muxer: '-muxdelay 0.4 -c:a ac3' }, same],
  ['two sounds and teletext', { languages: 'eng fra', pesBytes: 700 }, (bytes) => withTeletext(bytes, 0x110)],
  ['no random access flags', { encoder: '-bf 2 -b_strategy 0' }, unflagged],
  [
    'the wrap inside',
    { encoder: '-bf 2 -b_strategy 0' },
    (bytes) => remuxed(bytes, new Map(), 2 ** 33 - 90_000 * 4),
  ],
];
const PIDS = [0x100, 0x101, 0x102, 0x110];

const cutting = fc.array(
  fc.record({
    /** Of the clip: how far the piece goes past the last one, and how far before its end it begins. */
    length: fc.double({ min: 0.05, max: 0.4, noNaN: true }),
    overlap: fc.double({ min: 0.22, max: 0.4, noNaN: true }),
    inside: fc.nat(PACKET_BYTES - 1),
    /** Never such that the clock may be the one before, gone on. */
    ticks: fc.option(fc.integer({ min: 90_000 * 60, max: 2 ** 31 - 1 }), { nil: null }),
    counters: fc.nat(15),
  }),
  { minLength: 1, maxLength: 3 },
);

describe.each(CORPORA)('%s', (_name, shape, change) => {
  let clip: Buffer;
  let whole: Buffer;
  beforeAll(async () => {
    clip = change(await clipBytes(shape));
    ({ spool: whole } = await recordPieces([clip]));
  });

  const cutAt = (share: number, inside = 0) =>
    Math.min(clip.length, Math.floor((share * clip.length) / PACKET_BYTES) * PACKET_BYTES + inside);

  it('makes the file that one connection had made, however it is cut', async () => {
    let decoded = 0;
    const expected = await decode(whole, 'warning');
    await fc.assert(
      fc.asyncProperty(cutting, async (cuts) => {
        let end = 0.3;
        let { spool } = await recordPieces([clip.subarray(0, cutAt(end))]);
        for (const [n, { length, overlap, inside, ticks, counters }] of cuts.entries()) {
          const from = Math.max(0, end - overlap);
          end = n === cuts.length - 1 ? 1 : Math.min(1, end + length);
          const source = ticks === null ? clip : remuxed(clip, new Map(), ticks, counters);
          ({ spool } = await recordPiece(spool, source.subarray(cutAt(from, inside), cutAt(end, inside))));
        }
        expect(faultsOf(spool)).toEqual([]);
        for (const pid of PIDS) expect(payloads(spool, pid)).toEqual(payloads(whole, pid));
        // A decoder takes its time; every fourth is enough.
        if (decoded++ % 4 === 0) expect(await decode(spool, 'warning')).toEqual(expected);
      }),
      { numRuns: 12 },
    );
  });
});
