/** The first two minutes of somebody new: `npm start`, with nothing configured. */
import { spawn } from 'node:child_process';
import { cpSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { probe } from '../media/frames.js';
import { built } from './built.js';
import { programOf, type Program } from './programs.js';
import { filesUnder, json, openScene, until, type Report } from './scene.js';

/** A whole programme of the demo lasts two minutes: longer than a test run should wait without being asked. */
const SLOW = process.env['CATCHUPD_SLOW_TESTS'] === '1';
const FIRST_MS_MAX = 210_000;
const END_MS_MAX = 8_000;

/** `npm start` in a package folder of its own. */
function npmStart(folder: string): Program {
  const package_ = built().folder;
  for (const name of ['dist', 'src', 'node_modules']) symlinkSync(join(package_, name), join(folder, name));
  cpSync(join(package_, 'package.json'), join(folder, 'package.json'));
  const child = spawn('npm', ['start'], {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder, npm_config_update_notifier: 'false' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return programOf(child);
}

/** The recorder that npm started, which SIGKILL to npm would leave behind. */
function recorderPid(folder: string): number | null {
  const path = join(folder, 'catchup-demo', '.catchupd', 'lock');
  try {
    return Number(json(path)['pid']);
  } catch {
    return null;
  }
}

function kill(pid: number | null): void {
  try {
    if (pid !== null) process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

describe('npm start with nothing configured', () => {
  it(
    'says where everything is, records its own provider, and ends with npm',
    async ({ onTestFinished }) => {
      const startedAt = performance.now();
      const scene = openScene(onTestFinished);
      const npm = npmStart(scene.folder);
      onTestFinished(async () => {
        kill(recorderPid(scene.folder));
        await npm.end();
      });
      const demo = scene.path('catchup-demo');
      await until('it says where files go', () => npm.stdout().includes(demo));
      expect(npm.stdout()).toContain('demo provider');
      const base = await until('it listens', () => {
        const line = npm.lines().find(({ msg }) => msg === 'catchupd runs');
        return typeof line?.['listen'] === 'string' && line['listen'];
      });
      expect(base).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
      const report = async () =>
        (await (await fetch(`${base}/recordings/recorder.json?limit=0`)).json()) as Report;
      await until('a programme is recorded', async () =>
        (await report()).active.some(({ bytes_recorded }) => (bytes_recorded ?? 0) > 0),
      );
      const partial = filesUnder(demo).find((path) => path.endsWith('.partial.ts'));
      expect(partial).toBeDefined();
      if (SLOW) {
        const finished = await until(
          'the first is finished',
          async () => (await report()).completed[0],
          FIRST_MS_MAX,
        );
        expect(finished).toMatchObject({ outcome: 'complete' });
        expect(performance.now() - startedAt).toBeLessThan(FIRST_MS_MAX);
        const { streams } = await probe(finished.output_path ?? '');
        expect(streams.map(({ type }) => type)).toEqual(['video', 'audio']);
      }
      const pid = recorderPid(scene.folder);
      const from = performance.now();
      npm.signal('SIGTERM');
      expect(await npm.exited).toEqual({ code: 0, signal: null });
      expect(performance.now() - from).toBeLessThan(END_MS_MAX);
      await until('the recorder is gone too', () => recorderPid(scene.folder) === null);
      expect(() => process.kill(pid ?? 0, 0)).toThrow('ESRCH');
    },
    FIRST_MS_MAX + 30_000,
  );
});
