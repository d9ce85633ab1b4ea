/** A real browser, and the demo as somebody sees it who just typed `npm start`. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const WEB = join(ROOT, 'dist', 'web');

export interface Demo {
  readonly url: string;
  ask<T>(path: string): Promise<T>;
  end(): Promise<void>;
}

/** The built program with its own provider, in a folder of its own. */
export async function startDemo(): Promise<Demo> {
  const folder = mkdtempSync(join(tmpdir(), 'catchupd-browser-'));
  const words = ['run', '--listen', '127.0.0.1:0', '--disk-free-min', '0', '--log-format', 'json'];
  const child = spawn(process.execPath, [join(ROOT, 'dist/src/cli/main.js'), ...words], {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = await new Promise<string>((resolve, reject) => {
    let text = '';
    child.stderr.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const listen = /"listen":"(http:[^"]+)"[^\n]*"msg":"catchupd runs"/.exec(text)?.[1];
      if (listen) resolve(listen);
    });
    void exited.then(() => reject(new Error(`it has ended: ${text}`)));
  });
  return {
    url,
    ask: async <T>(path: string) => (await (await fetch(`${url}/${path}`)).json()) as T,
    async end() {
      child.kill('SIGTERM');
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What a checker of accessibility finds that matters. */
export async function faultsOf(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  return page.evaluate(async () => {
    const { axe } = window as unknown as {
      axe: { run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }> };
    };
    const { violations } = await axe.run();
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
  });
}
