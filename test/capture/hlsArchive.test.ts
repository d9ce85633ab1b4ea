/** Programmes that an archive gives as a playlist, into one file, over as many connections as it takes. */
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { fetchFinite } from '../../src/capture/finiteBody.js';
import { hlsTransport } from '../../src/capture/hlsTransport.js';
import { loopPackets } from '../../src/demo/loopTs.js';
import { BEST } from '../../src/domain/hlsVariant.js';
import { systemClock } from '../../src/io/clock.js';
import { nodeDisk } from '../../src/io/nodeDisk.js';
import { undiciTransport } from '../../src/io/undiciTransport.js';
import { startFakeHls, type HlsOrigin, type HlsOriginShape, type HlsSegmentShape } from '../fakes/hls.js';
import { loopClip } from '../media/clip.js';

const PACKETS = 300;
const COUNT = 8;
let segments: readonly HlsSegmentShape[];
let whole: Buffer;
let folder: string;
let path: string;
const origins: HlsOrigin[] = [];
const transport = hlsTransport(undiciTransport(systemClock), systemClock);

beforeAll(async () => {
  const clip = await loopClip();
  whole = loopPackets(clip, 0, COUNT * PACKETS);
  segments = Array.from({ length: COUNT }, (_, n) => ({
    media: loopPackets(clip, n * PACKETS, (n + 1) * PACKETS),
    durationS: 2,
  }));
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'catchupd-archive-'));
  path = join(folder, 'show.replay.part');
});
afterEach(async () => {
  await Promise.all(origins.splice(0).map((origin) => origin.close()));
  rmSync(folder, { recursive: true, force: true });
});

async function serve(more: Partial<HlsOriginShape> = {}): Promise<HlsOrigin> {
  const origin = await startFakeHls({ segments, ended: true, requestsMax: 1, ...more });
  origins.push(origin);
  return origin;
}

const fetchIt = (url: string, lengthMs = 60_000, signal = new AbortController().signal, mayLack = false) =>
  fetchFinite(
    {
      url,
      headers: {},
      path,
      mayResume: true,
      firstByteTimeoutMs: 5_000,
      stallTimeoutMs: 2_500,
      hls: { quality: BEST, lengthMs, mayLack },
    },
    { transport, disk: nodeDisk, clock: systemClock, signal },
  );
const media = () => readFileSync(path);
const bytesOf = (count: number) => whole.subarray(0, (whole.length / COUNT) * count);

it('is the media of all segments, one request after the other, through a master playlist too', async () => {
  const master = '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000000,RESOLUTION=320x180\n@MEDIA\n';
  const origin = await serve({ master });
  expect(await fetchIt(origin.masterUrl)).toEqual({ kind: 'whole', bytes: whole.length });
  expect(media().equals(whole)).toBe(true);
  expect(origin.requestsMaxSeen()).toBe(1);
});

it('goes on behind the last whole segment, and asks for none again', async () => {
  const failing = Array.from({ length: 20 }, () => 503);
  const torn = segments.map((segment, n) => (n === 3 ? { ...segment, answers: failing } : segment));
  const first = await fetchIt((await serve({ segments: torn.slice(0, 4) })).mediaUrl);
  expect(first).toMatchObject({ kind: 'cut', bytes: bytesOf(3).length });
  // What a kill leaves of a segment that was being written.
  appendFileSync(path, whole.subarray(bytesOf(3).length, bytesOf(3).length + 1_000));
  const origin = await serve();
  expect(await fetchIt(origin.mediaUrl)).toEqual({ kind: 'whole', bytes: whole.length });
  expect(media().equals(whole)).toBe(true);
  expect(origin.requests.filter((asked) => asked.includes('seg-'))).toEqual(
    [3, 4, 5, 6, 7].map((n) => `/seg-${n}.ts`),
  );
});

it('is kept up to where it broke off, and says that it did', async () => {
  const origin = await serve({ segments: segments.slice(0, 3), ended: false });
  const outcome = await fetchIt(origin.mediaUrl);
  expect(outcome).toMatchObject({ kind: 'cut', bytes: bytesOf(3).length });
  expect(media().equals(bytesOf(3))).toBe(true);
});

it('begins anew where the archive has another thing by now', async () => {
  await fetchIt((await serve({ segments: segments.slice(0, 2) })).mediaUrl);
  const renamed = segments.map((segment, n) => ({ ...segment, name: `other-${n}.ts` }));
  const other = await serve({ segments: renamed, sequence: 40 });
  expect(await fetchIt(other.mediaUrl)).toMatchObject({ kind: 'cut', bytes: 0 });
  expect(await fetchIt(other.mediaUrl)).toEqual({ kind: 'whole', bytes: whole.length });
  expect(media().equals(whole)).toBe(true);
});

it('takes the place of what another address had given as one body', async () => {
  writeFileSync(path, whole.subarray(0, 100_000));
  expect(await fetchIt((await serve()).mediaUrl)).toEqual({ kind: 'whole', bytes: whole.length });
  expect(media().equals(whole)).toBe(true);
});

it('ends where the programme does, though the playlist goes on', async () => {
  const origin = await serve({ ended: false });
  expect(await fetchIt(origin.mediaUrl, 9_000)).toEqual({ kind: 'whole', bytes: bytesOf(5).length });
});

it('lacks a segment that is not there, and no more, where nobody is to ask again', async () => {
  const list = segments.map((segment, n) => (n === 2 ? { ...segment, gap: true } : segment));
  const { mediaUrl } = await serve({ segments: list });
  expect(await fetchIt(mediaUrl)).toMatchObject({ kind: 'cut', bytes: bytesOf(2).length });
  const { signal } = new AbortController();
  expect(await fetchIt(mediaUrl, 60_000, signal, true)).toMatchObject({ kind: 'whole' });
  const segmentBytes = whole.length / COUNT;
  const expected = Buffer.concat([bytesOf(2), whole.subarray(3 * segmentBytes)]);
  expect(media().equals(expected)).toBe(true);
});

it('is refused where it is not a transport stream, or no playlist that can be followed', async () => {
  const mp4 = segments.map((segment) => ({ ...segment, media: Buffer.from('\0\0\0\x18styp'), init: 'a' }));
  const inits = { a: Buffer.from('\0\0\0\x18ftyp') };
  expect(await fetchIt((await serve({ segments: mp4, inits })).mediaUrl)).toMatchObject({
    kind: 'refused',
    refusal: { code: 'container_mismatch' },
  });
  const locked = segments.map((segment, n) =>
    n === 0 ? { ...segment, lines: ['#EXT-X-KEY:METHOD=SAMPLE-AES,URI="k"'] } : segment,
  );
  expect(await fetchIt((await serve({ segments: locked })).mediaUrl)).toMatchObject({
    kind: 'refused',
    refusal: { code: 'hls_encrypted' },
  });
  expect(existsSync(path)).toBe(false);
});

it('gives way at once, and keeps what it has', async () => {
  const origin = await serve({ delayMs: 150 });
  const abort = new AbortController();
  const running = fetchIt(origin.mediaUrl, 60_000, abort.signal);
  while (!existsSync(`${path}.tag`)) await new Promise((resolve) => void setTimeout(resolve, 20));
  abort.abort();
  expect(await running).toEqual({ kind: 'aborted' });
  expect(statSync(path).size).toBeGreaterThanOrEqual(bytesOf(1).length);
});
