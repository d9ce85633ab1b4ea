/** Playlists in the manner of hls-parser's fixtures, of RFC 8216 §8 and of what panels really send. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { looksLikePlaylist, readPlaylist } from '../../src/capture/hlsPlaylist.js';
import type { MasterPlaylist, MediaPlaylist } from '../../src/domain/hlsPlaylist.js';

const URL_ = 'http://edge.example/live/u/p/index.m3u8?token=t%2F1&q=7';
const HEAD = '#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:40\n';

function media(text: string): MediaPlaylist {
  const playlist = readPlaylist(text, URL_);
  if (playlist.kind !== 'media') throw new Error(JSON.stringify(playlist));
  return playlist;
}

function master(text: string): MasterPlaylist {
  const playlist = readPlaylist(text, URL_);
  if (playlist.kind !== 'master') throw new Error(JSON.stringify(playlist));
  return playlist;
}

describe('a media playlist', () => {
  it('has absolute addresses with their queries, numbers, and times where they are told', () => {
    const lines = [
      '#EXT-X-PROGRAM-DATE-TIME:2026-11-23T19:30:00.000Z',
      '#EXTINF:6.006,a title, with commas',
      'seg1.ts?x=1,2',
      '#EXTINF:5',
      '/abs/seg2.php',
      '#EXT-X-PROGRAM-DATE-TIME:soon',
      '#EXTINF:4,',
      'https://cdn.example/seg3',
    ];
    const at = Date.parse('2026-11-23T19:30:00.000Z');
    expect(media(`\uFEFF${HEAD}${lines.join('\r\n')}\r\n`.replaceAll('\n', '\r\n')).segments).toMatchObject([
      { sequence: 40, uri: 'http://edge.example/live/u/p/seg1.ts?x=1,2', durationMs: 6_006, programAt: at },
      { sequence: 41, uri: 'http://edge.example/abs/seg2.php', durationMs: 5_000, programAt: at + 6_006 },
      { sequence: 42, uri: 'https://cdn.example/seg3', durationMs: 4_000, programAt: at + 11_006 },
    ]);
  });

  it('says what is encrypted by which key, and until when', () => {
    const lines = [
      '#EXT-X-KEY:METHOD=AES-128,URI="k?a=1",IV=0x0000000000000000000000000000000A',
      '#EXTINF:6,\na.ts',
      '#EXT-X-KEY:METHOD=NONE\n#EXTINF:6,\nb.ts',
      '#EXT-X-KEY:METHOD=AES-128,URI="k2"\n#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://1",KEYFORMAT="com.apple"',
      '#EXTINF:6,\nc.ts',
    ];
    const keys = media(`${HEAD}${lines.join('\n')}\n`).segments.map(({ key }) => key);
    expect(keys).toEqual([
      { uri: 'http://edge.example/live/u/p/k?a=1', iv: '0000000000000000000000000000000a' },
      null,
      { uri: 'http://edge.example/live/u/p/k2', iv: null },
    ]);
  });

  it('counts byte ranges on, and knows maps, gaps and discontinuities', () => {
    const lines = [
      '#EXT-X-MAP:URI="init.mp4",BYTERANGE="720@0"',
      '#EXTINF:6,\n#EXT-X-BYTERANGE:1000@720\nall.mp4',
      '#EXTINF:6,\n#EXT-X-BYTERANGE:500\nall.mp4',
      '#EXT-X-DISCONTINUITY\n#EXT-X-GAP\n#EXTINF:2.5,\nlost.mp4',
    ];
    expect(media(`${HEAD}${lines.join('\n')}\n`).segments).toMatchObject([
      { range: { offset: 720, length: 1000 }, init: { range: { offset: 0, length: 720 } }, gap: false },
      { range: { offset: 1720, length: 500 }, discontinuity: false },
      { range: null, gap: true, discontinuity: true, durationMs: 2_500 },
    ]);
  });

  it('fills in variables, also those of the query and of the master playlist', () => {
    const text = `${HEAD}#EXT-X-DEFINE:NAME="dir",VALUE="v1"\n#EXT-X-DEFINE:QUERYPARAM="q"\n#EXT-X-DEFINE:IMPORT="host"\n#EXTINF:6,\nhttp://{$host}/{$dir}/{$q}/{$none}.ts\n`;
    const playlist = readPlaylist(text, URL_, { host: 'cdn.example' });
    expect(playlist).toMatchObject({
      segments: [{ uri: 'http://cdn.example/v1/7/{$none}.ts'.replace('{$none}', '%7B$none%7D') }],
    });
  });

  it.each([
    [
      'parts of a segment that is still made',
      '#EXT-X-PART:DURATION=0.33,URI="p1.ts"\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI="p2.ts"\n',
    ],
    ['an end that is cut off', '#EXTINF:6,\n'],
    ['an address that is none', '#EXTINF:6,\nhttp://\n'],
    [
      'advertisement marks',
      '#EXT-X-CUE-OUT:30\n#EXT-X-CUE-OUT-CONT:5/30\n#EXT-X-CUE-IN\n#EXT-X-DATERANGE:ID="1",START-DATE="2026-11-23T19:30:00Z"\n',
    ],
    ['unknown tags and comments', '# hello\n#EXT-X-FUTURE:A=1\n\n'],
  ])('leaves %s aside', (_name, end) => {
    expect(media(`${HEAD}#EXTINF:6,\na.ts\n${end}`).segments.map(({ sequence }) => sequence)).toEqual([40]);
  });

  it('without a target duration has that of its longest segment, and an absurd one is bounded', () => {
    expect(media('#EXTM3U\n#EXTINF:6,\na.ts\n#EXTINF:8,\nb.ts\n').targetMs).toBe(8_000);
    expect(media('#EXTM3U\n#EXT-X-TARGETDURATION:99999\n#EXTINF:6,\na.ts\n').targetMs).toBe(120_000);
  });

  it('has a segment once that is listed twice, unless it may be another one', () => {
    const listed = (...lines: string[]) =>
      media(
        `${HEAD}${lines.map((line) => (line.startsWith('#') ? line : `#EXTINF:6,\n${line}`)).join('\n')}\n`,
      ).segments.map(({ sequence, uri }) => [sequence, uri.slice(uri.lastIndexOf('/') + 1)]);
    expect(listed('a.ts', 'b.ts', 'b.ts', 'c.ts')).toEqual([
      [40, 'a.ts'],
      [41, 'b.ts'],
      [43, 'c.ts'],
    ]);
    expect(listed('slate.ts', '#EXT-X-DISCONTINUITY', 'slate.ts', 'c.ts')).toHaveLength(3);
    expect(listed('x.php?n=1', 'x.php?n=2', 'x.php?n=3')).toHaveLength(3);
    expect(listed('now.ts', 'now.ts', 'now.ts')).toHaveLength(3);
    const range = (offset: number) => `#EXT-X-BYTERANGE:100@${offset}`;
    expect(listed('other.ts', range(0), 'all.ts', range(100), 'all.ts', range(100), 'all.ts')).toHaveLength(
      3,
    );
  });

  it('may be empty, and may have ended', () => {
    expect(media(HEAD).segments).toEqual([]);
    expect(media(`${HEAD}#EXTINF:6,\na.ts\n#EXT-X-ENDLIST\n`).ended).toBe(true);
  });
});

describe('a master playlist', () => {
  it('tells where the sound of each variant is', () => {
    const lines = [
      '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="far",NAME="en",URI="en.m3u8"',
      '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="near",NAME="en",DEFAULT=YES',
      '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="near",NAME="de",URI="de.m3u8"',
      '#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="avc1.4d,mp4a.40.2",AUDIO="far"\n1.m3u8',
      '#EXT-X-STREAM-INF:BANDWIDTH=2,CODECS="avc1.4d,mp4a.40.2",AUDIO="near"\n2.m3u8',
      '#EXT-X-STREAM-INF:BANDWIDTH=3,CODECS="avc1.4d"\n3.m3u8',
      '#EXT-X-STREAM-INF:BANDWIDTH=4,RESOLUTION=640x360\n4.m3u8',
      '#EXT-X-STREAM-INF:BANDWIDTH=5,CODECS="mp4a.40.2"\n5.m3u8',
      '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=6,URI="i.m3u8"',
    ];
    const { variants } = master(`#EXTM3U\n${lines.join('\n')}\n`);
    expect(variants.map(({ sound, picture }) => `${sound} ${picture}`)).toEqual([
      'separate true',
      'inside true',
      'none true',
      'inside true',
      'inside false',
    ]);
  });
});

describe('what is no stream is refused by its code', () => {
  it.each([
    ['nothing', '', 'hls_unreadable'],
    ['a web page', '<html>no</html>', 'hls_unreadable'],
    ['text after the first line', '#EXTM3U\nhello world\n', 'hls_unreadable'],
    ['a channel list', '#EXTM3U\n#EXTINF:-1 tvg-id="a",Name\nhttp://x/a.ts\n', 'hls_unreadable'],
    ['a range from nowhere', `${HEAD}#EXTINF:6,\n#EXT-X-BYTERANGE:100\na.ts\n`, 'hls_unreadable'],
    ['a key without an address', `${HEAD}#EXT-X-KEY:METHOD=AES-128\n#EXTINF:6,\na.ts\n`, 'hls_unreadable'],
    ['a map without an address', `${HEAD}#EXT-X-MAP:FOO=1\n#EXTINF:6,\na.ts\n`, 'hls_unreadable'],
    ['single pictures', `${HEAD}#EXT-X-I-FRAMES-ONLY\n#EXTINF:6,\na.ts\n`, 'hls_unreadable'],
    ['no variants', '#EXTM3U\n#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=6,URI="i.m3u8"\n', 'hls_unreadable'],
    ['a licence', `${HEAD}#EXT-X-KEY:METHOD=SAMPLE-AES-CTR,URI="k"\n#EXTINF:6,\na.ts\n`, 'hls_encrypted'],
    [
      'sound elsewhere',
      '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="en",URI="en.m3u8"\n#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="a"\n1.m3u8\n',
      'hls_separate_audio',
    ],
  ])('%s', (_name, text, code) => {
    expect(readPlaylist(text, URL_)).toEqual({ kind: 'refused', code });
  });

  it('and nothing that a server sends gets past the door as an exception', () => {
    const good = [
      `${HEAD}#EXT-X-KEY:METHOD=AES-128,URI="k",IV=0x01\n#EXT-X-MAP:URI="i",BYTERANGE="1@2"\n#EXTINF:6,\n#EXT-X-BYTERANGE:5@1\na.ts\n#EXT-X-GAP\n#EXTINF:6,\nb.ts\n`,
      '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="n",URI="u"\n#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=1x1,AUDIO="a"\nv\n#EXT-X-SESSION-KEY:METHOD=AES-128,URI="k"\n',
      `${HEAD}#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES\n#EXT-X-PART-INF:PART-TARGET=0.3\n#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n#EXT-X-PART:DURATION=0.3,URI="p"\n#EXT-X-DEFINE:NAME="a",VALUE="b"\n#EXT-X-DATERANGE:ID="x"\n#EXT-X-START:TIME-OFFSET=1\n`,
    ];
    const tags = good.flatMap((text) => text.split('\n'));
    fc.assert(
      fc.property(
        fc.constantFrom(...good),
        fc.nat(),
        fc.nat({ max: 30 }),
        fc.oneof(
          fc.string(),
          fc.constantFrom(...tags),
          fc.constantFrom('\n', ',', '=', '"', '@', '-1', '\0', '#EXTINF:'),
        ),
        (text, place, cut, put) => {
          const at = place % text.length;
          const playlist = readPlaylist(text.slice(0, at) + put + text.slice(at + cut), URL_);
          expect(['media', 'master', 'refused']).toContain(playlist.kind);
          if (playlist.kind === 'media') {
            for (const { uri, durationMs, sequence } of playlist.segments)
              expect([URL.canParse(uri), durationMs >= 0, sequence >= 0]).toEqual([true, true, true]);
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

it('a playlist shows in its first bytes', () => {
  expect(looksLikePlaylist(Buffer.from('#EXTM3U\n'))).toBe(true);
  expect(looksLikePlaylist(Buffer.from('\uFEFF#EXTM3U\r\n'))).toBe(true);
  expect(looksLikePlaylist(Buffer.from('#EXTM3'))).toBe(false);
  expect(looksLikePlaylist(Buffer.from([0x47, 0x40, 0, 0x10]))).toBe(false);
});
