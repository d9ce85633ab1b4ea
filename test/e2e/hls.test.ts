/** HLS through the whole program: real processes, a live window that slides in real time, restarts, shared sessions. */
import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loopSegments, startFakeHls } from '../fakes/hls.js';
import { loopClip } from '../media/clip.js';
import { decode, isUnbroken } from '../media/frames.js';
import { CLIP_FRAMES, guideText, json, listText, openScene, programme, soon } from './scene.js';

const SEGMENT_MS = 800;
/** Enough for any test here. */
const SEGMENTS = 400;

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

describe.concurrent('an HLS channel', () => {
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
      expect(isUnbroken(frames, CLIP_FRAMES)).toBe(true);
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
    writeFileSync(guide, guideText('one.tv', [programme('one.tv', 'Show', soon(2), 20)]));
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
    expect(isUnbroken(frames, CLIP_FRAMES)).toBe(true);
    expect(item).toMatchObject({ outcome: 'complete', gaps: [] });
    const ledger = json((item?.output_path ?? '').replace(/\.ts$/, '.catchupd.json'));
    expect(ledger['gaps']).toEqual([]);
  });
});
