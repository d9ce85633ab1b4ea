/** What cannot be begun is refused with its code, the place by name, and nothing left behind. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  BRISK,
  channel,
  filesUnder,
  guideText,
  json,
  listText,
  nothingYet,
  openScene,
  programme,
  soon,
  titles,
  type Scene,
} from './scene.js';

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
const SECRET = 'http://tv.example/live/anna/s3cret/1.ts';

/** A list and a guide in files, and the words that name them. */
function ownSources(scene: Scene, shows = nothingYet('one.tv')): string[] {
  writeFileSync(scene.path('list.m3u'), listText({ one: SECRET }));
  writeFileSync(scene.path('guide.xml'), guideText('one.tv', shows));
  return ['--m3u', scene.path('list.m3u'), '--xmltv', scene.path('guide.xml')];
}

describe.concurrent('a command line that is wrong', () => {
  it.each([
    ['an unknown option', ['run', '--max-concurency', '3'], ['--max-concurency', '--max-concurrency?']],
    ['an unknown command', ['runn'], ['"runn"', 'run']],
    ['an unknown value', ['run', '--guide-policy', 'helthy'], ['--guide-policy', 'healthy']],
    ['a wrong duration', ['run', '--post-padding', 'soon'], ['--post-padding', '"soon"']],
    ['an unknown lane', ['run', '--lanes', 'sport'], ['--lanes', 'sports']],
    ['a mistyped scheme', ['run', '--m3u', 'htp://u:s3cret@tv.example/l.m3u'], ['--m3u', 'http']],
    ['a folder in the other', ['run', '--m3u', 'x', '--out-dir', 'a', '--publish-dir', 'a/b'], ['a/b']],
    ['no source', ['run', '--publish-dir', 'library'], ['no source', '--m3u']],
    ['no query', ['why', '--m3u', 'list.m3u'], ['query']],
    ['an open door', ['run', '--m3u', 'x', '--listen', '0.0.0.0:0'], ['--listen', '--api-token']],
  ])('%s: said with a way out, exit 2, nothing written', async (_what, words, parts) => {
    const ends: (() => Promise<void>)[] = [];
    try {
      const scene = openScene((end) => ends.push(end));
      const before = filesUnder(scene.folder);
      const answer = await scene.ask(words);
      expect(answer).toMatchObject({ code: 2, stdout: '' });
      expect(answer.stderr).toMatch(/^catchupd: usage: /);
      for (const part of parts) expect(answer.stderr).toContain(part);
      expect(answer.stderr).not.toContain('s3cret');
      expect(filesUnder(scene.folder)).toEqual(before);
    } finally {
      for (const end of ends) await end();
    }
  });

  it('lists every problem of a config file by line', async ({ onTestFinished }) => {
    const scene = openScene(onTestFinished);
    const path = scene.path('catchupd.yaml');
    writeFileSync(path, 'm3u: list.m3u\nmax-concurency: 3\npoll-interval: soon\napi-token: ${NOT_SET}\n');
    const answer = await scene.ask(['run']);
    expect(answer).toMatchObject({ code: 2, stdout: '' });
    expect(answer.stderr).toContain('3 problems');
    expect(answer.stderr).toMatch(/catchupd\.yaml:2 max-concurency: .*max-concurrency\?/);
    expect(answer.stderr).toMatch(/catchupd\.yaml:3 poll-interval: /);
    expect(answer.stderr).toMatch(/catchupd\.yaml:4 api-token: .*NOT_SET/);
    writeFileSync(path, 'm3u: [list.m3u\n');
    const broken = await scene.ask(['run']);
    expect(broken.code).toBe(2);
    expect(broken.stderr).toContain('no valid YAML');
    expect(filesUnder(scene.folder)).toEqual(['catchupd.yaml']);
  });
});

describe.concurrent('a place that cannot be used', () => {
  it('is named where a file is in the way', async ({ onTestFinished }) => {
    const scene = openScene(onTestFinished);
    const words = ownSources(scene);
    writeFileSync(scene.path('out'), 'a file');
    const answer = await scene.ask(['run', ...words, '--out-dir', scene.outDir]);
    expect(answer.code).toBe(1);
    expect(answer.stderr).toContain(`catchupd: folder_unwritable: ${scene.outDir}`);
    expect(filesUnder(scene.folder)).toEqual(['guide.xml', 'list.m3u', 'out']);
    const checked = await scene.ask(['doctor', ...words, '--out-dir', scene.outDir, '--json']);
    expect(checked.code).toBe(1);
    expect(checked.stdout).toContain(`folder_unwritable: ${scene.outDir}`);
  });

  it.runIf(isRoot)('is named where it belongs to somebody else', async ({ onTestFinished }) => {
    const scene = openScene(onTestFinished);
    const words = ownSources(scene);
    mkdirSync(scene.outDir);
    chmodSync(scene.folder, 0o755);
    const around = { uid: NOBODY };
    const places = ['--out-dir', scene.outDir];
    const run = await scene.ask(['run', ...words, ...places], around);
    expect(run.code).toBe(1);
    expect(run.stderr).toContain(`catchupd: folder_unwritable: ${scene.outDir}`);
    const inside = await scene.ask(['run', ...words, '--out-dir', join(scene.outDir, 'new')], around);
    expect(inside.code).toBe(1);
    expect(inside.stderr).toContain(`catchupd: folder_unwritable: ${join(scene.outDir, 'new')}`);
    expect(filesUnder(scene.folder)).toEqual(['guide.xml', 'list.m3u']);
    const checked = await scene.ask(['doctor', ...words, ...places, '--json'], around);
    expect(checked.code).toBe(1);
    expect(checked.stdout).toContain(`folder_unwritable: ${scene.outDir}`);
    expect(run.stderr + inside.stderr + checked.stdout + checked.stderr).not.toContain('s3cret');
  });

  it('is a mistyped source: nothing to record, a code, and the doctor names it', async ({
    onTestFinished,
  }) => {
    const scene = openScene(onTestFinished);
    ownSources(scene);
    const typo = scene.path('lsit.m3u');
    const words = ['--m3u', typo, '--xmltv', scene.path('guide.xml')];
    const before = filesUnder(scene.folder);
    const plan = await scene.ask(['plan', ...words]);
    expect(plan.code).toBe(1);
    expect(plan.stderr).toContain(`catchupd: no_list: ${typo}: no such file`);
    const checked = await scene.ask(['doctor', ...words, '--json']);
    expect(checked.code).toBe(1);
    expect(checked.stdout).toContain(`list_unreadable: ${typo}: no such file`);
    expect(filesUnder(scene.folder)).toEqual(before);
    const once = await scene.ask(['run', '--once', ...words, '--out-dir', scene.outDir, ...BRISK]);
    expect(once.code).toBe(1);
    expect(once.stderr).toContain('"code":"no_list"');
    expect(once.stderr).toContain(`"source":"${typo}","code":"list_unreadable"`);
    expect(filesUnder(scene.outDir).filter((path) => path.endsWith('.ts'))).toEqual([]);
  });
});

describe.concurrent('a state that is not ours to change', () => {
  it('of a newer version: exit 1, untouched', async ({ onTestFinished }) => {
    const scene = openScene(onTestFinished);
    const words = [...ownSources(scene), '--out-dir', scene.outDir];
    mkdirSync(scene.outDir);
    const path = join(scene.outDir, 'recorder-state.json');
    const newer = '{"version":999,"rev":7,"recordings":{}}\n';
    writeFileSync(path, newer);
    const answer = await scene.ask(['run', ...words]);
    expect(answer.code).toBe(1);
    expect(answer.stderr).toContain(`catchupd: state_newer: ${path}`);
    expect(readFileSync(path, 'utf8')).toBe(newer);
    expect(filesUnder(scene.outDir).filter((name) => !name.startsWith('.catchupd/'))).toEqual([
      'recorder-state.json',
    ]);
    expect((await scene.ask(['report', ...words.slice(-2)])).stderr).toContain('state_newer');
  });

  it('held by a daemon that lives: exit 1, the daemon goes on', async ({ onTestFinished }) => {
    const scene = openScene(onTestFinished);
    const words = ownSources(scene);
    const daemon = scene.daemon(words);
    await daemon.ready();
    const answer = await scene.ask(['run', ...words, '--out-dir', scene.outDir]);
    expect(answer.code).toBe(1);
    expect(answer.stderr).toMatch(/catchupd: state_locked: .*/);
    expect(answer.stderr).toContain(String(daemon.pid));
    expect(daemon.isRunning()).toBe(true);
    expect((await fetch(`${await daemon.url()}/healthz`)).status).toBe(200);
  });

  it('of iptv-tunerr: put aside, its programmes known, its files left alone', async ({ onTestFinished }) => {
    const scene = openScene(onTestFinished);
    const provider = await scene.provider({ channels: [channel('one')], programmes: nothingYet('one.tv') });
    const now = soon();
    const shows = [
      programme('one.tv', 'Had It', now - 60_000, 3_600),
      programme('one.tv', 'New', now + 4_000_000, 60),
    ];
    await provider.setProgrammes(shows);
    const plan = await scene.ask(['plan', '--m3u', provider.m3uUrl, '--json']);
    const { decisions } = JSON.parse(plan.stdout) as { decisions: Record<string, string>[] };
    const had = decisions.find(({ title }) => title === 'Had It');
    mkdirSync(join(scene.outDir, 'general'), { recursive: true });
    const media = join(scene.outDir, 'general', 'old.ts');
    writeFileSync(media, 'media of another program');
    const item = { ...had, status: 'completed', output_path: media };
    const theirs = { updated_at: '2026-01-01T00:00:00Z', active: [], completed: [item], failed: [] };
    writeFileSync(join(scene.outDir, 'recorder-state.json'), JSON.stringify({ ...theirs, statistics: {} }));

    const daemon = scene.daemon(['--m3u', provider.m3uUrl]);
    const report = await daemon.sees('the new one is scheduled', ({ active }) => active.length > 0);
    expect(titles(report.active)).toEqual(['New']);
    expect(await provider.asked('one')).toBe(0);
    expect(await daemon.stop()).toMatchObject({ code: 0 });
    expect(filesUnder(scene.outDir)).toContain('recorder-state.iptv-tunerr.json');
    expect(json(join(scene.outDir, 'recorder-state.json'))['version']).toBeTypeOf('number');
    expect(readFileSync(media, 'utf8')).toBe('media of another program');
  });
});
