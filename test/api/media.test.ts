/** Media over HTTP: ranges, files that grow while they are read, and players that ask in every way there is. */
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Media } from '../../src/api/media.js';
import { startApi, type Api } from '../../src/api/server.js';
import type { MediaIndex } from '../../src/domain/mediaIndex.js';
import { doorsThat } from './aDoor.js';

const ID = '1a2b3c4d';
const PACKET = 188;
/** Byte n is n modulo 251, so that a wrong offset shows. */
const bytesFrom = (offset: number, count: number) =>
  Buffer.from(Array.from({ length: count }, (_, index) => (offset + index) % 251));

let folder: string;
let path: string;
let api: Api;
let media: Media | null;
let index: MediaIndex;

const pointsOf = (count: number) =>
  Array.from({ length: count }, (_, each) => ({
    offset: each * 25 * PACKET,
    atMs: each * 6_000,
    durationMs: 6_000,
    discontinuity: false,
  }));
const url = (more = '') => `${api.address}/media/${ID}${more}`;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'catchupd-media-'));
  path = join(folder, 'news.ts');
  writeFileSync(path, bytesFrom(0, PACKET * 100));
  media = { path, growing: false };
  index = { startedAt: 0, points: pointsOf(4), bytes: PACKET * 100, initBytes: 0 };
  api = await startApi({
    host: '127.0.0.1',
    port: 0,
    access: { token: 'right', noAuth: false },
    publicUrl: null,
    doors: doorsThat({
      media: (id) => (id === ID ? media : null),
      mediaIndex: () => Promise.resolve(index),
    }),
  });
});

afterEach(async () => {
  await api.close();
  rmSync(folder, { recursive: true, force: true });
});

async function bytesOf(response: Response): Promise<Buffer> {
  return Buffer.from(await response.arrayBuffer());
}

describe('a finished recording', () => {
  it('is given whole, in ranges, and to those who only ask how long it is', async () => {
    const whole = await fetch(url());
    expect(whole.status).toBe(200);
    expect(Object.fromEntries(whole.headers)).toMatchObject({
      'content-type': 'video/mp2t',
      'accept-ranges': 'bytes',
      'content-length': String(PACKET * 100),
    });
    expect(await bytesOf(whole)).toEqual(bytesFrom(0, PACKET * 100));

    const part = await fetch(url(), { headers: { range: 'bytes=1000-1999' } });
    expect(part.status).toBe(206);
    expect(part.headers.get('content-range')).toBe(`bytes 1000-1999/${PACKET * 100}`);
    expect(await bytesOf(part)).toEqual(bytesFrom(1000, 1000));

    const head = await fetch(url(), { method: 'HEAD' });
    expect(head.status).toBe(200);
    expect(head.headers.get('content-length')).toBe(String(PACKET * 100));

    const tag = whole.headers.get('etag') ?? '';
    const same = await fetch(url(), { headers: { range: 'bytes=0-9', 'if-range': tag } });
    expect(same.status).toBe(206);
    const other = await fetch(url(), { headers: { range: 'bytes=0-9', 'if-range': '"other"' } });
    expect(other.status).toBe(200);
    await Promise.all([same.arrayBuffer(), other.arrayBuffer()]);
  });

  it.each(['bytes=18800-', 'bytes=-0', 'bytes=5-1', 'bytes=0-1,4-5', 'bytes=x'])(
    'has no range %s, and says how long it is',
    async (range) => {
      const response = await fetch(url(), { headers: { range } });
      expect(response.status).toBe(416);
      expect(response.headers.get('content-range')).toBe(`bytes */${PACKET * 100}`);
      expect(await response.json()).toMatchObject({ error: { code: 'range_invalid' } });
    },
  );

  it('has a playlist whose parts are the file, with the token that let the player in', async () => {
    const text = await (await fetch(url('/index.m3u8?token=right'))).text();
    expect(text).toContain('#EXT-X-ENDLIST');
    const uris = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(new Set(uris)).toEqual(new Set([`../${ID}?token=right`]));
    const ranges = [...text.matchAll(/BYTERANGE:(\d+)@(\d+)/g)].map(([, bytes, offset]) => [
      Number(bytes),
      Number(offset),
    ]);
    const parts = await Promise.all(
      ranges.map(async ([bytes = 0, offset = 0], number) => {
        const segment = await bytesOf(await fetch(url(`/seg/${number}.ts`)));
        expect(segment).toEqual(bytesFrom(offset, bytes));
        return segment;
      }),
    );
    expect(Buffer.concat(parts)).toEqual(bytesFrom(0, PACKET * 100));
    expect((await fetch(url('/seg/99.ts'))).status).toBe(404);
  });

  it.each([
    '/media/../../etc/passwd',
    '/media/%2e%2e%2f%2e%2e',
    '/media/1a2b3c4d%00',
    '/media/ffffffff',
    '/media/x',
  ])('is at no address like %s', async (address) => {
    const response = await fetch(`${api.address}${address}`);
    expect([400, 404]).toContain(response.status);
    await response.arrayBuffer();
  });
});

describe('a recording under way', () => {
  it('is followed to its end by a plain GET, and given as far as it is there to a range', async () => {
    media = { path, growing: true };
    const response = await fetch(url());
    expect(response.status).toBe(200);
    expect(response.headers.get('content-length')).toBeNull();
    const part = await fetch(url(), { headers: { range: 'bytes=100-' } });
    expect(part.status).toBe(206);
    expect(part.headers.get('content-range')).toBe(`bytes 100-${PACKET * 100 - 1}/*`);
    await part.arrayBuffer();

    const reader = response.body!.getReader();
    const got: Buffer[] = [];
    const read = async (count: number) => {
      while (got.reduce((sum, { length }) => sum + length, 0) < count) {
        const { value, done } = await reader.read();
        if (done) return;
        got.push(Buffer.from(value as Uint8Array));
      }
    };
    await read(PACKET * 100);
    // Half a packet is not given before it is whole.
    appendFileSync(path, bytesFrom(PACKET * 100, PACKET + 90));
    await read(PACKET * 101);
    appendFileSync(path, bytesFrom(PACKET * 101 + 90, PACKET * 2 - 90));
    media = { path, growing: false };
    await read(Infinity);
    expect(Buffer.concat(got)).toEqual(bytesFrom(0, PACKET * 103));
  });

  it('is given to its last byte where it is MP4, and from its newest pictures behind what they need', async () => {
    const own = join(folder, 'news.mp4');
    writeFileSync(own, bytesFrom(0, 1_000));
    index = { startedAt: 0, points: pointsOf(1), bytes: 1_000, initBytes: 40 };
    media = { path: own, growing: true };
    const response = await fetch(url('?from=live'));
    expect(response.headers.get('content-type')).toBe('video/mp4');
    appendFileSync(own, bytesFrom(1_000, 90));
    media = { path: own, growing: false };
    expect(await bytesOf(response)).toEqual(bytesFrom(0, 1_090));

    rmSync(own);
    writeFileSync(own, bytesFrom(0, 30 * PACKET));
    index = { startedAt: 0, points: pointsOf(3), bytes: 30 * PACKET, initBytes: 40 };
    media = { path: own, growing: false };
    const live = await fetch(url('?from=live'));
    expect(await bytesOf(live)).toEqual(
      Buffer.concat([bytesFrom(0, 40), bytesFrom(25 * PACKET, 5 * PACKET)]),
    );
    const text = await (await fetch(url('/index.m3u8'))).text();
    expect(text).toContain(`#EXT-X-MAP:URI="../${ID}",BYTERANGE="40@0"`);
    expect((await fetch(url('/seg/0.ts'))).status).toBe(404);
  });

  it('has nothing to play before it has begun', async () => {
    media = null;
    const response = await fetch(url());
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { code: 'media_missing' } });
  });
});
