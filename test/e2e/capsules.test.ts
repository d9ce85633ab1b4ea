/** The capsule preview and the launchers, as scripts of iptv-tunerr's users run them. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { guideText, listText, openScene, programme, soon } from './scene.js';

it('capsules and launchers are written where and as they are by iptv-tunerr', async ({ onTestFinished }) => {
  const scene = openScene(onTestFinished);
  const now = soon();
  writeFileSync(scene.path('list.m3u'), listText({ one: 'http://127.0.0.1:9/live/bob/secret/1.ts' }));
  const shows = [
    programme('one.tv', 'City vs United', now - 60_000, 3_600),
    programme('one.tv', 'Evening News', now + 3_600_000, 1_800),
  ];
  writeFileSync(scene.path('guide.xml'), guideText('one.tv', shows));
  const words = ['-m3u', scene.path('list.m3u'), '-xmltv', scene.path('guide.xml'), '-out-dir', scene.outDir];

  const layout = scene.path('layout');
  const shown = await scene.ask(['catchup-capsules', ...words, '-layout-dir', layout, '-limit', '1']);
  expect([shown.code, shown.stderr]).toEqual([0, expect.not.stringContaining('secret')]);
  const preview = JSON.parse(shown.stdout) as { capsules: { title: string }[] };
  expect(preview).toMatchObject({ source_ready: true, replay_mode: 'launcher' });
  expect(preview.capsules.map(({ title }) => title)).toEqual(['City vs United']);
  expect(shown.stdout).not.toContain('secret');
  const manifest = JSON.parse(readFileSync(join(layout, 'manifest.json'), 'utf8')) as object;
  expect(manifest).toMatchObject({ capsule_count: 1, written_lanes: ['sports'] });
  expect(existsSync(join(layout, 'sports.json'))).toBe(true);

  const file = scene.path('deep/preview.json');
  const quiet = await scene.ask([
    'capsules',
    ...words,
    '--out',
    file,
    '--replay-url-template',
    'http://r/{title_query}',
  ]);
  expect([quiet.code, quiet.stdout]).toEqual([0, '']);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
    replay_mode: 'replay',
    capsules: [{ replay_url: 'http://r/City+vs+United' }, { replay_url: 'http://r/Evening+News' }],
  });

  const library = scene.path('library');
  for (const _ of ['first', 'again']) {
    const published = await scene.ask(['catchup-publish', ...words, '-publish-dir', library]);
    expect([published.code, published.stderr]).toEqual([0, '']);
    const list = JSON.parse(readFileSync(join(library, 'publish-manifest.json'), 'utf8')) as {
      items: { stream_path: string; nfo_path: string; stream_url: string; lane: string }[];
    };
    expect(list).toMatchObject({
      root_dir: library,
      libraries: [
        { lane: 'sports', name: 'Catchup Sports', collection_type: 'movies', item_count: 1 },
        { lane: 'movies', item_count: 0, path: join(library, 'movies') },
        { lane: 'general', item_count: 1 },
      ],
    });
    expect(list.items.map(({ lane }) => lane)).toEqual(['general', 'sports']);
    expect(list.items[0]?.stream_url).not.toContain('secret');
    const { stream_path: stream = '', nfo_path: nfo = '' } = list.items[0] ?? {};
    expect(readFileSync(stream, 'utf8')).toBe('http://127.0.0.1:9/live/bob/secret/1.ts\n');
    expect(readFileSync(nfo, 'utf8')).toContain('<title>Evening News</title>');
    expect(existsSync(join(library, 'movies'))).toBe(true);
  }
});
