/** HLS through the whole program: real processes, a live window that slides in real time, restarts, shared sessions. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loopSegments, startFakeHls } from '../fakes/hls.js';
import { startFakeProvider } from '../fakes/provider.js';
import { fragmentedClip, loopClip } from '../media/clip.js';
import { breaksOf, decode, probe } from '../media/frames.js';
import {
  CLIP_FRAMES,
  filesUnder,
  guideText,
  json,
  listText,
  nothingYet,
  openScene,
  programme,
  soon,
  until,
} from './scene.js';

const SEGMENT_MS = 800;
/** Enough for any test here. */
const SEGMENTS = 400;
/** More of the clip than its window is ahead of a plain stream that began with it. */
const LEAD_BYTES = 210_000;

async function liveOrigin(window: number) {
  const clip = await loopClip();
  return startFakeHls({
    segments: loopSegments(clip, 0, SEGMENTS),
    shown: window,
    window,
    targetS: 1,
    everyMs: SEGMENT_MS,
    requestsMax: 1,
  });
}

describe.concurrent('an HLS channel', { timeout: 120_000 }, () => {
  it('gives one complete file a programme over one shared session, one request at a time', async ({
    onTestFinished,
  }) => {
    const scene = openScene(onTestFinished);
    const origin = await liveOrigin(6);
    onTestFinished(() => origin.close());
    const list = scene.path('list.m3u');
    const guide = scene.path('guide.xml');
    writeFileSync(list, listText({ one: origin.mediaUrl }));
    writeFileSync(guide, guideText('one.tv', [programme('one.tv', 'Later', soon(86_400), 60)]));
    const account = `${new URL(origin.url).host}=1`;
    const daemon = scene.daemon(['--m3u', list, '--xmltv', guide, '--provider-max', account]);
    await daemon.ready();
    const now = soon(2);
    const shows = ['First', 'Second'].map((title, n) => programme('one.tv', title, now + n * 5_000, 5));
    writeFileSync(guide, guideText('one.tv', shows));
    const { completed } = await daemon.sees(
      'both are done',
      (report) => report.completed.length === 2,
      60_000,
    );
    for (const item of completed) {
      expect(item).toMatchObject({ outcome: 'complete', gaps: [] });
      const { frames, errors } = await decode(item.output_path ?? '', 'warning');
      expect(errors).toEqual([]);
      expect(breaksOf(frames, CLIP_FRAMES)).toEqual([]);
      expect(frames.length).toBeGreaterThan(5 * 25);
    }
    // Each segment was fetched once, for both.
    const segments = origin.requests.filter((path) => path.includes('seg-'));
    expect(segments.length).toBe(new Set(segments).size);
    expect(origin.requestsMaxSeen()).toBe(1);
  });

  it('loses nothing to a kill, for the window still has it', async ({ onTestFinished }) => {
    const scene = openScene(onTestFinished);
    const origin = await liveOrigin(40);
    onTestFinished(() => origin.close());
    const list = scene.path('list.m3u');
    const guide = scene.path('guide.xml');
    writeFileSync(list, listText({ one: origin.mediaUrl }));
    writeFileSync(guide, guideText('one.tv', [programme('one.tv', 'Later', soon(86_400), 60)]));
    const words = ['--m3u', list, '--xmltv', guide];
    const first = scene.daemon(words);
    await first.ready();
    writeFileSync(guide, guideText('one.tv', [programme('one.tv', 'Show', soon(2), 24)]));
    await first.sees('something is recorded', ({ active }) =>
      active.some(({ bytes_recorded = 0 }) => bytes_recorded > 0),
    );
    first.signal('SIGKILL');
    await first.exited;
    const second = scene.daemon(words);
    const { completed } = await second.sees('it is done', (report) => report.completed.length === 1, 60_000);
    const [item] = completed;
    const { frames, errors } = await decode(item?.output_path ?? '', 'warning');
    expect(errors).toEqual([]);
    expect(breaksOf(frames, CLIP_FRAMES)).toEqual([]);
    expect(item).toMatchObject({ outcome: 'complete', gaps: [] });
    const ledger = json((item?.output_path ?? '').replace(/\.ts$/, '.catchupd.json'));
    expect(ledger['gaps']).toEqual([]);
  });

  it('of fragmented MP4 is published as .mp4, with its description and its ledger, and listed', async ({
    onTestFinished,
  }) => {
    const scene = openScene(onTestFinished);
    const { init, fragments } = await fragmentedClip({ seconds: 64 });
    const origin = await startFakeHls({
      segments: fragments.map((media, n) => ({ media, durationS: 0.8, init: 'a', name: `f-${n}.m4s` })),
      inits: { a: init },
      shown: 6,
      window: 6,
      targetS: 1,
      everyMs: SEGMENT_MS,
    });
    onTestFinished(() => origin.close());
    const list = scene.path('list.m3u');
    const guide = scene.path('guide.xml');
    writeFileSync(list, listText({ one: origin.mediaUrl }));
    writeFileSync(guide, guideText('one.tv', [programme('one.tv', 'Later', soon(86_400), 60)]));
    const daemon = scene.daemon(['--m3u', list, '--xmltv', guide]);
    await daemon.ready();
    writeFileSync(guide, guideText('one.tv', [programme('one.tv', 'Show', soon(2), 6)]));
    const { completed } = await daemon.sees('it is done', (report) => report.completed.length === 1, 60_000);
    const [item] = completed;
    expect(item).toMatchObject({ outcome: 'complete', gaps: [] });
    const path = item?.output_path ?? '';
    const { frames, errors } = await decode(path, 'error', 'mp4');
    expect(errors).toEqual([]);
    expect(breaksOf(frames)).toEqual([]);
    expect(frames.length).toBeGreaterThan(6 * 25);
    const published = filesUnder(scene.publishDir);
    const own = published.filter((file) => file.includes('Show'));
    expect(own.map((file) => file.replace(/^.*Show[^/]*?(?=\.(?:mp4|nfo|catchupd\.json)$)/, ''))).toEqual([
      '.catchupd.json',
      '.mp4',
      '.nfo',
    ]);
    await until('the manifest lists it', () =>
      JSON.stringify(json(scene.path('library', 'recorded-publish-manifest.json'))).includes('.mp4'),
    );
    const media = await fetch(`${await daemon.url()}/media/${item?.id}`);
    expect(media.headers.get('content-type')).toBe('video/mp4');
    expect(Buffer.from(await media.arrayBuffer()).equals(readFileSync(path))).toBe(true);
    const playlist = await (await fetch(`${await daemon.url()}/media/${item?.id}/index.m3u8`)).text();
    expect(playlist).toContain(`#EXT-X-MAP:URI="../${item?.id}",BYTERANGE="${init.length}@0"`);
    expect(playlist).toContain('#EXT-X-ENDLIST');
    expect(filesUnder(scene.outDir).filter((file) => /\.(?:mp4|ts)$/.test(file))).toEqual([]);
  });

  it('and a plain stream of the same encode take turns in one file: not one picture missing, none twice', async ({
    onTestFinished,
  }) => {
    const scene = openScene(onTestFinished);
    const seconds = 38.4;
    const clip = await loopClip({ seconds });
    // Both begin now; the window is eleven seconds ahead of the plain stream, as packagers are not, so that nothing need be lost.
    const origin = await startFakeHls({
      segments: loopSegments(clip, 0, SEGMENTS),
      shown: 14,
      window: 28,
      targetS: 1,
      everyMs: SEGMENT_MS,
    });
    const plain = await startFakeProvider({
      channels: [{ id: 'one', name: 'One', clip, tvgId: 'one.tv', behaviour: { status: 410 } }],
      programmes: nothingYet('one.tv'),
    });
    onTestFinished(async () => {
      await Promise.all([origin.close(), plain.close()]);
    });
    const list = scene.path('list.json');
    const row = {
      channel_id: 'one',
      guide_number: '1',
      guide_name: 'One',
      stream_url: origin.mediaUrl,
      stream_urls: [origin.mediaUrl, plain.streamUrl('one')],
      epg_linked: true,
      tvg_id: 'one.tv',
    };
    writeFileSync(list, JSON.stringify({ movies: [], series: [], live_channels: [row] }));
    const daemon = scene.daemon(['--catalog', list, '--xmltv', plain.xmltvUrl]);
    await daemon.ready();
    plain.setProgrammes([programme('one.tv', 'Show', soon(2), 32)]);
    // Asked of the disk: the report tells of bytes only as often as they are put down.
    const spooled = () =>
      filesUnder(scene.outDir)
        .filter((file) => file.endsWith('.partial.ts'))
        .reduce((sum, file) => sum + statSync(join(scene.outDir, file)).size, 0);
    // Until the plain stream has got to where this recording began: before that they share no picture to be joined by.
    await until('the session is recorded', () => spooled() > LEAD_BYTES);
    plain.behave('one', {});
    origin.setPage('/media.m3u8', { status: 404, body: 'gone' });
    await daemon.sees('another upstream', ({ active }) =>
      active.some(({ capture_upstream_switches: switches }) => switches === 1),
    );
    const bytes = spooled();
    await until('the plain stream is recorded', () => spooled() > bytes + 25_000);
    origin.setPage('/media.m3u8', null);
    plain.behave('one', { status: 410 });
    plain.cut('one');
    const { completed } = await daemon.sees('it is done', (report) => report.completed.length === 1, 60_000);
    const [item] = completed;
    const path = item?.output_path ?? '';
    expect(path).toMatch(/\.ts$/);
    expect(item?.sources).toHaveLength(2);
    const { frames, errors } = await decode(path, 'warning');
    expect(errors).toEqual([]);
    expect(breaksOf(frames, seconds * 25)).toEqual([]);
    expect(item).toMatchObject({ outcome: 'complete', gaps: [] });
    const { streams, durationS } = await probe(path);
    expect(streams).toHaveLength(2);
    expect(Math.abs(durationS - frames.length / 25)).toBeLessThan(0.2);
  });
});
