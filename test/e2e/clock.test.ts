/** A wall clock that jumps under the real daemon: nothing expires, nothing is cut short. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { channel, filesUnder, nothingYet, openScene, programme, said, soon, until } from './scene.js';

const DAY_MS = 86_400_000;

/** It waits for a programme of half a minute; asked for together with the kills. */
const ASKED = process.env['CATCHUPD_KILLS'] !== undefined;

describe.runIf(ASKED)('a wall clock that is 40 days ahead for a while', () => {
  it('expires nothing and cuts nothing short', async ({ onTestFinished }) => {
    const scene = openScene(onTestFinished);
    const provider = await scene.provider({
      channels: [channel('one'), channel('two')],
      programmes: nothingYet('one.tv'),
    });
    const preload = new URL('skewedClock.mjs', import.meta.url).href;
    const daemon = scene.daemon(['--m3u', provider.m3uUrl, '--keep', 'sports=1h,general=1h,movies=1h'], {
      env: { NODE_OPTIONS: `--import ${preload}`, SKEW_MS: String(40 * DAY_MS) },
    });
    await daemon.ready();
    const now = soon();
    await provider.setProgrammes([
      programme('one.tv', 'Short', now - 1_000, 6),
      programme('two.tv', 'Long', now - 1_000, 25),
    ]);
    await daemon.sees('one is published', ({ completed }) => completed.length === 1);
    daemon.signal('SIGUSR2');
    await until('it is doubted', () => said(daemon, 'clock_doubtful'));
    const spool = filesUnder(scene.outDir).find((path) => path.endsWith('.partial.ts')) ?? '';
    const bytes = statSync(join(scene.outDir, spool)).size;
    await until('the other goes on', () => statSync(join(scene.outDir, spool)).size > bytes + 200_000);
    const meanwhile = await daemon.report();
    expect(meanwhile.completed.map(({ title }) => title)).toEqual(['Short']);
    expect(meanwhile.active.map(({ title }) => title)).toEqual(['Long']);
    expect((await fetch(`${await daemon.url()}/healthz`)).status).toBe(200);
    daemon.signal('SIGUSR2');
    const report = await daemon.sees('both are published', ({ completed }) => completed.length === 2, 60_000);
    const long = report.completed.find(({ title }) => title === 'Long');
    // It was joined in progress, and nothing else is missing.
    expect(long).toMatchObject({ outcome: expect.stringMatching(/^(complete|partial)/) as string });
    expect(filesUnder(scene.publishDir).filter((path) => path.endsWith('.ts'))).toHaveLength(2);
    expect(daemon.lines().filter(({ msg }) => msg === 'removed')).toEqual([]);
  }, 300_000);

  it('costs a restart no more than any other', async ({ onTestFinished }) => {
    const scene = openScene(onTestFinished);
    const provider = await scene.provider({ channels: [channel('one')], programmes: nothingYet('one.tv') });
    const words = ['--m3u', provider.m3uUrl, '--keep', 'sports=1h,general=1h,movies=1h'];
    const first = scene.daemon(words);
    await first.ready();
    const now = soon(4);
    await provider.setProgrammes([programme('one.tv', 'Long', now, 30)]);
    const spool = await until('it is recorded', () =>
      filesUnder(scene.outDir).find((path) => path.endsWith('.partial.ts')),
    );
    first.signal('SIGKILL');
    await first.exited;
    const preload = new URL('skewedClock.mjs', import.meta.url).href;
    const second = scene.daemon(words, {
      env: { NODE_OPTIONS: `--import ${preload}`, SKEW_MS: String(40 * DAY_MS), SKEW_FROM_START: 'yes' },
    });
    await until('it is doubted', () => said(second, 'clock_doubtful'));
    const bytes = statSync(join(scene.outDir, spool)).size;
    await until('it goes on', () => statSync(join(scene.outDir, spool)).size > bytes + 100_000);
    const { completed } = await second.sees(
      'it is published',
      (report) => report.completed.length === 1,
      90_000,
    );
    const [long] = completed;
    expect(long).toMatchObject({
      title: 'Long',
      outcome: 'complete_with_gaps',
      recovery_reason: 'daemon_restart',
    });
    expect(long?.gaps.map(({ cause }) => cause)).toEqual(['restart']);
    expect(second.lines().filter(({ msg }) => msg === 'removed')).toEqual([]);
  }, 300_000);
});
