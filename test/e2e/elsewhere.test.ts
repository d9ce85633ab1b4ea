/** Somebody else's machine: another user, a home that cannot be written, a clock at the other end of the world. */
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { channel, filesUnder, modeOf, nothingYet, openScene, programme, soon, type Scene } from './scene.js';

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

/** Who runs it, and where: a user without rights where that can be had. */
function elsewhere(scene: Scene) {
  const home = scene.path('closed-home');
  mkdirSync(home);
  chmodSync(home, 0o555);
  chmodSync(scene.folder, 0o755);
  for (const folder of [scene.outDir, scene.publishDir]) {
    mkdirSync(folder);
    if (isRoot) chownSync(folder, NOBODY, NOBODY);
  }
  return {
    home,
    around: { env: { HOME: home, TZ: 'Pacific/Auckland' }, ...(isRoot && { uid: NOBODY }), cwd: home },
  };
}

describe.concurrent('elsewhere', () => {
  it('records and publishes in UTC, and speaks in local time', async ({ onTestFinished }) => {
    const scene = openScene(onTestFinished);
    const { home, around } = elsewhere(scene);
    const provider = await scene.provider({ channels: [channel('one')], programmes: nothingYet('one.tv') });
    const words = ['--m3u', provider.m3uUrl];
    const daemon = scene.daemon(words, around);
    await daemon.ready();
    const at = soon(2);
    await provider.setProgrammes([programme('one.tv', 'Far Away', at, 3)]);
    const report = await daemon.sees('it is published', ({ completed }) => completed.length === 1);
    const [item] = report.completed;
    const utc = new Date(at).toISOString();
    expect(item).toMatchObject({ outcome: 'complete', start: utc.replace('.000Z', 'Z') });
    const media = item?.output_path ?? '';
    expect(basename(media)).toBe(`Far-Away-${utc.slice(0, 16).replace(/[T:]/g, '-')}-UTC.ts`);
    expect(modeOf(media)).toBe(0o644);

    const table = await scene.ask(['report', '--table', '--out-dir', scene.outDir], around);
    expect(table.code).toBe(0);
    const plan = await scene.ask(['plan', ...words, '--out-dir', scene.outDir], around);
    const there = new Intl.DateTimeFormat('en-GB', {
      ...({ timeZone: 'Pacific/Auckland', hour: '2-digit', minute: '2-digit' } as const),
    });
    expect(plan.stdout + table.stdout).toContain(there.format(at));
    expect(await daemon.stop()).toMatchObject({ code: 0 });
    expect(filesUnder(home)).toEqual([]);
  });
});
