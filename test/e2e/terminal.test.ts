/** `run` as a person sees it on a terminal, and as a file or a pipe gets it. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { built } from './built.js';
import { openScene } from './scene.js';

/** Of util-linux: gives a program a terminal. */
const SCRIPT = '/usr/bin/script';
const ESCAPE = '\u001b';
const COLOUR = new RegExp(`${ESCAPE}\\[[0-9;]*m`);
const UP = new RegExp(`${ESCAPE}\\[\\d+A`);

it.runIf(existsSync(SCRIPT))(
  'progress is drawn on a terminal, plain without colours, and not at all into a pipe',
  async ({ onTestFinished }) => {
    const scene = openScene(onTestFinished);
    const run = (out: string) => [
      'run',
      '--listen',
      '127.0.0.1:0',
      '--disk-free-min',
      '0',
      '--run-for',
      '3s',
      '--out-dir',
      scene.path(out),
    ];
    async function onTerminal(out: string, env: Record<string, string>): Promise<string> {
      const line = [process.execPath, built().main, ...run(out)].map((word) => `'${word}'`).join(' ');
      const child = spawn(SCRIPT, ['-qec', line, '/dev/null'], {
        cwd: scene.folder,
        env: { PATH: process.env['PATH'], HOME: scene.folder, TERM: 'xterm', ...env },
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      let text = '';
      child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
      expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0);
      return text;
    }
    const seen = await onTerminal('coloured', {});
    expect(seen).toMatch(/\d+ recording, \d+ planned/);
    expect(seen).toMatch(UP);
    expect(seen).toMatch(COLOUR);
    const plain = await onTerminal('plain', { NO_COLOR: '1' });
    expect(plain).toMatch(/\d+ recording, \d+ planned/);
    expect(plain).not.toMatch(COLOUR);
    const piped = await scene.ask(run('piped'));
    expect(piped.code).toBe(0);
    expect(`${piped.stdout}${piped.stderr}`).not.toContain(ESCAPE);
    for (const line of piped.stderr.trim().split('\n')) expect(JSON.parse(line)).toBeTypeOf('object');
  },
  90_000,
);
