/** Guides as they come: whatever one does, the last good one stays and the others are heard. */
import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import {
  channel,
  filesUnder,
  freePort,
  guideText,
  listText,
  nothingYet,
  openScene,
  programme,
  said,
  soon,
  titles,
  until,
} from './scene.js';

const PAGE = '<!DOCTYPE html><html><body><h1>Please log in</h1></body></html>';

describe.concurrent('guides of the field', () => {
  it('hears the good guide among bad ones, and names each of those', async ({ onTestFinished }) => {
    const scene = openScene(onTestFinished);
    const provider = await scene.provider({ channels: [channel('one')], programmes: nothingYet('one.tv') });
    const whole = gzipSync(guideText('one.tv', nothingYet('one.tv')));
    const bad = {
      'page.xml': PAGE,
      'empty.xml': '',
      'noise.xml.gz': Buffer.concat([whole.subarray(0, 10), Buffer.from('no deflate at all')]),
      'zip.xml.zip': Buffer.from('PK\u0003\u0004 and so on'),
    };
    for (const [name, content] of Object.entries(bad)) writeFileSync(scene.path(name), content);
    const places = [...Object.keys(bad), 'missing.xml'].map((name) => scene.path(name));
    const words = ['--m3u', provider.m3uUrl, '--xmltv', provider.xmltvUrl];
    words.push(...places.flatMap((path) => ['--xmltv', path]));

    const daemon = scene.daemon(words);
    await daemon.ready();
    const warned = (place: string) => daemon.lines().find(({ source }) => source === place)?.['code'];
    await until('each bad guide is named', () => places.every((place) => warned(place) !== undefined));
    expect(Object.fromEntries(places.map((place) => [place.split('/').at(-1), warned(place)]))).toEqual({
      'page.xml': 'guide_not_xmltv',
      'empty.xml': 'guide_not_xmltv',
      'noise.xml.gz': 'guide_not_xmltv',
      'zip.xml.zip': 'guide_compressed',
      'missing.xml': 'guide_unreadable',
    });
    const now = soon();
    await provider.setProgrammes([programme('one.tv', 'Still Heard', now - 1_000, 4)]);
    const report = await daemon.sees('it is published', ({ completed }) => completed.length === 1);
    expect(titles(report.completed)).toEqual(['Still Heard']);

    const checked = await scene.ask(['doctor', ...words, '--json', '--out-dir', scene.path('other')]);
    expect(checked.code).toBe(1);
    const { checks } = JSON.parse(checked.stdout) as { checks: { ok: boolean; detail: string }[] };
    for (const place of places)
      expect(checks.filter(({ ok, detail }) => !ok && detail.includes(place))).toHaveLength(1);
  });

  it('starts without a guide, asks again, and records when one comes', async ({ onTestFinished }) => {
    const scene = openScene(onTestFinished);
    const port = await freePort();
    writeFileSync(scene.path('list.m3u'), listText({ one: `http://127.0.0.1:${port}/live/one.ts` }));
    const guide = `http://me:secret@127.0.0.1:${port}/guide.xml`;
    const daemon = scene.daemon(['--m3u', scene.path('list.m3u'), '--xmltv', guide]);
    const line = await until('the guide cannot be read', () => said(daemon, 'guide_unreadable'));
    expect(line['source']).toBe(`http://***@127.0.0.1:${port}/guide.xml`);
    const base = await daemon.url();
    expect((await fetch(`${base}/readyz`)).status).toBe(503);
    expect((await fetch(`${base}/healthz`)).status).toBe(200);
    const provider = await scene.provider({
      port,
      channels: [channel('one')],
      programmes: nothingYet('one.tv'),
    });
    await daemon.ready();
    const now = soon();
    await provider.setProgrammes([programme('one.tv', 'At Last', now - 1_000, 4)]);
    const report = await daemon.sees('it is published', ({ completed }) => completed.length === 1);
    expect(titles(report.completed)).toEqual(['At Last']);
    expect(daemon.stderr()).not.toContain('secret');
  });

  it('holds a halved guide, an emptied one and a page in its place', async ({ onTestFinished }) => {
    const scene = openScene(onTestFinished);
    const provider = await scene.provider({ channels: [channel('one')], programmes: nothingYet('one.tv') });
    const daemon = scene.daemon(['--m3u', provider.m3uUrl]);
    await daemon.ready();
    const now = soon();
    const good = [
      programme('one.tv', 'Kept', now + 5_000, 3),
      ...Array.from({ length: 5 }, (_, n) =>
        programme('one.tv', `Later ${n}`, now + 3_600_000 * (n + 3), 60),
      ),
    ];
    await provider.setProgrammes(good);
    await daemon.sees('it is scheduled', ({ active }) => titles(active).includes('Kept'));
    const held = (reason: string) =>
      until(`held as ${reason}`, () =>
        daemon.lines().find((line) => line['level'] === 'warn' && line['reason'] === reason),
      );
    await provider.setProgrammes(good.slice(4));
    expect(await held('halved')).toMatchObject({ source: provider.xmltvUrl });
    await provider.setProgrammes([]);
    expect(await held('empty')).toMatchObject({ source: provider.xmltvUrl });
    await provider.setPage('/guide.xml', { body: PAGE });
    const line = await until('the page is no guide', () => said(daemon, 'guide_not_xmltv'));
    expect(line['source']).toBe(provider.xmltvUrl);
    const report = await daemon.sees('it is published', ({ completed }) => completed.length === 1);
    expect(report.completed[0]).toMatchObject({ title: 'Kept', outcome: 'complete' });
    expect(titles(report.failed)).toEqual([]);
    expect(await daemon.stop()).toMatchObject({ code: 0 });

    // The last good one outlives the daemon too.
    const again = scene.daemon(['--m3u', provider.m3uUrl]);
    await again.ready();
    expect(titles((await again.report()).completed)).toEqual(['Kept']);
  });

  it('records nothing and keeps nothing of a list that is no list', async ({ onTestFinished }) => {
    const scene = openScene(onTestFinished);
    const provider = await scene.provider({
      channels: [channel('one')],
      programmes: [programme('one.tv', 'Unreachable', soon(-60), 600)],
    });
    await provider.setPage('/lineup.m3u', { body: PAGE });
    await provider.setPage('/catalog.json', { body: '{"error":"expired"}', type: 'application/json' });
    const words = ['--m3u', provider.m3uUrl, '--catalog', provider.catalogUrl, '--xmltv', provider.xmltvUrl];
    const daemon = scene.daemon(words);
    await daemon.ready();
    expect(await until('no list', () => said(daemon, 'list_not_m3u'))).toMatchObject({
      source: provider.m3uUrl,
    });
    expect(await until('no catalog', () => said(daemon, 'list_not_catalog'))).toMatchObject({
      source: provider.catalogUrl,
    });
    const report = await daemon.report();
    expect([...report.active, ...report.completed, ...report.failed]).toEqual([]);
    expect(filesUnder(scene.publishDir)).toEqual(['.catchupd-root']);
    expect(filesUnder(scene.outDir).filter((path) => path.endsWith('.ts'))).toEqual([]);
    await provider.setPage('/lineup.m3u', null);
    await daemon.sees('it is recorded', ({ active }) => active[0]?.machine_state === 'spooling');
  });
});
