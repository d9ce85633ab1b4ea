/** Streams as they come: one file a programme whatever its connections do, and no channel suffers for another. */
import { describe, expect, it } from 'vitest';
import { breaksOf, decode } from '../media/frames.js';
import {
  channel,
  CLIP_FRAMES,
  filesUnder,
  freePort,
  json,
  nothingYet,
  openScene,
  programme,
  soon,
  type ReportItem,
} from './scene.js';

/** Key frames so close that nothing is sent twice to somebody who was away for a moment. */
const clip = { gop: 5 };
const PAGE = '<html><body>Your account has expired</body></html>';

interface Ledger {
  readonly gaps: readonly { readonly cause: string; readonly seconds: number }[];
  readonly joins: readonly { readonly kind: string }[];
  readonly stretches: readonly { readonly source: string }[];
}

function ledgerOf(item: ReportItem | undefined): Ledger {
  return json((item?.output_path ?? '').replace(/\.ts$/, '.catchupd.json')) as unknown as Ledger;
}

function reasonOf(item: ReportItem | undefined): unknown {
  return item && 'outcome_reason' in item ? item.outcome_reason : undefined;
}

describe.concurrent('streams of the field', () => {
  it('fails only what cannot be had, with a reason, and leaves no file of it', async ({ onTestFinished }) => {
    const scene = openScene(onTestFinished);
    const dead = `http://me:secret@127.0.0.1:${await freePort()}/live/x.ts`;
    const bad = {
      Refused: { status: 404 },
      Failing: { status: 503 },
      Page: { body: PAGE, headers: { 'content-type': 'text/html' } },
      Gone: { redirectTo: dead },
      Silent: { silent: true },
    };
    const ids = Object.keys(bad);
    const provider = await scene.provider({
      channels: [
        channel('good'),
        ...ids.map((id) => channel(id, { behaviour: bad[id as keyof typeof bad] })),
      ],
      programmes: nothingYet('good.tv'),
    });
    const words = ['--m3u', provider.m3uUrl, '--max-concurrency', '10', '--first-byte-timeout', '1s'];
    const daemon = scene.daemon(words);
    await daemon.ready();
    const now = soon(4);
    const shows = ['good', ...ids].map((id) => programme(`${id}.tv`, id, now, 5));
    await provider.setProgrammes(shows);
    const report = await daemon.sees(
      'all have ended',
      ({ completed, failed }) => completed.length === 1 && failed.length === ids.length,
    );
    expect(report.completed[0]).toMatchObject({ title: 'good', outcome: 'complete' });
    const reasons = report.failed.map((item) => [item.title, reasonOf(item)] as const);
    expect(Object.fromEntries(reasons)).toEqual({
      Refused: 'upstream_refused',
      Failing: 'upstream_failing',
      Page: 'upstream_html',
      Gone: 'upstream_unreachable',
      Silent: 'upstream_silent',
    });
    for (const item of report.failed) {
      expect(item).toMatchObject({ machine_state: 'failed', outcome: 'empty', coverage: 0 });
      expect(item.gaps.length).toBeGreaterThan(0);
      // It was tried again until the end.
      expect(await provider.asked(item.title)).toBeGreaterThan(1);
    }
    expect(filesUnder(scene.outDir).filter((path) => path.endsWith('.ts'))).toEqual([]);
    expect(filesUnder(scene.publishDir).filter((path) => path.endsWith('.ts'))).toHaveLength(1);
    expect(daemon.stderr()).not.toContain('secret');
  });

  it('goes on with the second address in the same file', async ({ onTestFinished }) => {
    const scene = openScene(onTestFinished);
    // Other pictures: the same ones on another clock would be an overlap, and rightly cut.
    const backup = await scene.provider({
      channels: [channel('b', { clip: { ...clip, firstNumber: 500 } })],
    });
    const provider = await scene.provider({
      channels: [
        channel('dead', { clip, behaviour: { status: 404 }, backups: [backup.streamUrl('b')] }),
        channel('dying', { clip, backups: [backup.streamUrl('b')] }),
      ],
      programmes: nothingYet('dead.tv'),
    });
    const daemon = scene.daemon(['--catalog', provider.catalogUrl, '--xmltv', provider.xmltvUrl]);
    await daemon.ready();
    const now = soon(4);
    await provider.setProgrammes([
      programme('dead.tv', 'Dead', now, 4),
      programme('dying.tv', 'Dying', now, 10),
    ]);
    await daemon.sees('it is recorded', ({ active }) =>
      active.some((item) => item.title === 'Dying' && (item.bytes_recorded ?? 0) > 50_000),
    );
    await provider.behave('dying', { status: 410 });
    await provider.cut('dying');
    const report = await daemon.sees('both are published', ({ completed }) => completed.length === 2);
    expect(filesUnder(scene.publishDir).filter((path) => path.endsWith('.ts'))).toHaveLength(2);
    const dead = report.completed.find(({ title }) => title === 'Dead');
    expect(dead).toMatchObject({ outcome: 'complete', capture_upstream_switches: 1 });
    expect(dead?.sources).toEqual([expect.stringMatching(/#1$/)]);
    const dying = report.completed.find(({ title }) => title === 'Dying');
    expect(dying?.sources).toHaveLength(2);
    expect(ledgerOf(dying).joins.map(({ kind }) => kind)).toContain('failover');
    for (const item of [dead, dying]) {
      const { errors, frames } = await decode(item?.output_path ?? '');
      expect(errors).toEqual([]);
      expect(frames.length).toBeGreaterThan(75);
    }
  });

  it('introduces itself to a channel as its catalog asks', async ({ onTestFinished }) => {
    const scene = openScene(onTestFinished);
    const provider = await scene.provider({
      channels: [channel('picky', { userAgent: 'TiviMate/5', behaviour: { userAgent: 'TiviMate/5' } })],
      programmes: nothingYet('picky.tv'),
    });
    const daemon = scene.daemon(['--catalog', provider.catalogUrl, '--xmltv', provider.xmltvUrl]);
    await daemon.ready();
    const now = soon(4);
    await provider.setProgrammes([programme('picky.tv', 'Picky', now, 3)]);
    const report = await daemon.sees('it is published', ({ completed }) => completed.length === 1);
    expect(report.completed[0]).toMatchObject({ outcome: 'complete', channel_id: 'picky' });
    const { frames } = await decode(report.completed[0]?.output_path ?? '');
    expect(breaksOf(frames, CLIP_FRAMES)).toEqual([]);
  });
});
