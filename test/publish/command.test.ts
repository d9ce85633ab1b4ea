import { mkdtempSync, readFileSync, rmSync, writeFileSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { splitWords } from '../../src/domain/commandWords.js';
import type { NoticeRow } from '../../src/domain/outbox.js';
import { systemClock } from '../../src/io/clock.js';
import { systemPrograms, type ProgramRequest, type Programs } from '../../src/io/programs.js';
import { commandReceiver } from '../../src/publish/command.js';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'catchupd-command-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const TITLE = 'Tom & "Jerry"; $(touch pwned) `id` 😀 \u0000\u001b[31m';
const ROW: NoticeRow = {
  id: 'on-published notice 1',
  receiver: 'on-published',
  kind: 'notice',
  seq: 1,
  queuedAt: 0,
  dueAt: 0,
  tries: 0,
  problem: '',
  event: 'published',
  facts: {
    event: 'published',
    recording: { id: 'abcd1234', title: TITLE, output_path: '/lib/x/x.ts', coverage: 1, outcome: 'complete' },
  },
};
const real = systemPrograms(systemClock);
const deliver = (words: readonly string[], programs: Programs = real, row = ROW) =>
  commandReceiver(words, programs).deliver(row, new AbortController().signal);

describe('the program after publishing', () => {
  it('gets what is known as words, in its environment and on its standard input, and no shell sees any of it', async () => {
    const out = join(folder, 'out.json');
    const script = join(folder, 'script.mjs');
    writeFileSync(
      script,
      `import { readFileSync, writeFileSync } from 'node:fs';
       const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => /^(CATCHUPD_|IPTV)/.test(name)));
       writeFileSync(${JSON.stringify(out)}, JSON.stringify({ args: process.argv.slice(2), env, stdin: JSON.parse(readFileSync(0, 'utf8')), cwd: process.cwd() }));`,
    );
    const environment = () => ({
      ...process.env,
      CATCHUPD_PLEX_TOKEN: 's3cret',
      IPTV_TUNERR_PMS_TOKEN: 's3cret',
    });
    const words = [process.execPath, script, '{path}', 'say: {title}', '{nonsense}', '; touch pwned'];
    expect(await deliver(words, { ...real, environment })).toEqual({ kind: 'done', next: [] });
    const seen = JSON.parse(readFileSync(out, 'utf8')) as Record<string, unknown>;
    const title = 'Tom & "Jerry"; $(touch pwned) `id` 😀  [31m';
    expect(seen).toMatchObject({
      args: ['/lib/x/x.ts', `say: ${title}`, '{nonsense}', '; touch pwned'],
      env: {
        CATCHUPD_EVENT: 'published',
        CATCHUPD_ID: 'abcd1234',
        CATCHUPD_TITLE: title,
        CATCHUPD_PATH: '/lib/x/x.ts',
      },
      stdin: ROW.facts,
    });
    expect(JSON.stringify(seen)).not.toContain('s3cret');
    expect(existsSync('pwned')).toBe(false);
  });

  it('that fails is run again, three times in all, and what it said last is known', async () => {
    const words = [process.execPath, '-e', 'console.error("no space"); process.exit(3)'];
    expect(await deliver(words)).toMatchObject({
      kind: 'later',
      code: 'command_failed',
      detail: 'it ended with 3: no space',
    });
    expect(await deliver(words, real, { ...ROW, tries: 2 })).toMatchObject({ kind: 'dropped' });
    expect(await deliver([join(folder, 'absent')])).toMatchObject({
      detail: 'it cannot be started (ENOENT)',
    });
  });

  it('that does not end is ended, with all that it started', async () => {
    const pidFile = join(folder, 'pid');
    const child = `require('fs').writeFileSync(${JSON.stringify(pidFile)}, String(process.pid)); setInterval(() => {}, 1000)`;
    const words = [
      process.execPath,
      '-e',
      `require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(child)}]); setInterval(() => {}, 1000)`,
    ];
    const request: ProgramRequest = {
      words,
      env: { PATH: process.env['PATH'] ?? '' },
      stdin: '',
      timeoutMs: 60_000,
    };
    const leave = new AbortController();
    const run = real.run({ ...request, signal: leave.signal });
    while (!existsSync(pidFile) || readFileSync(pidFile, 'utf8') === '')
      await new Promise((resolve) => setTimeout(resolve, 20));
    leave.abort();
    expect(await run).toEqual({ kind: 'aborted' });
    const isAlive = () => {
      try {
        return (
          process.kill(Number(readFileSync(pidFile, 'utf8')), 0) &&
          !/\) Z /.test(readFileSync(`/proc/${readFileSync(pidFile, 'utf8')}/stat`, 'utf8'))
        );
      } catch {
        return false;
      }
    };
    while (isAlive()) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await real.run({ ...request, timeoutMs: 1, words: ['sleep', '60'] })).toMatchObject({
      kind: 'late',
    });
  });
});

describe('the words of a command', () => {
  it.each([
    ['/usr/bin/notify  --now', ['/usr/bin/notify', '--now']],
    [`a "b c" 'd "e"' f\\ g "\\"h\\" \\n"`, ['a', 'b c', 'd "e"', 'f g', '"h" \\n']],
    [`x '' "" y`, ['x', '', '', 'y']],
    ['a;b|c&&d $E `f` *', ['a;b|c&&d', '$E', '`f`', '*']],
    ['a "b', null],
    ['   ', null],
  ])('%s are %o', (line, words) => {
    expect(splitWords(line)).toEqual(words);
  });
});
