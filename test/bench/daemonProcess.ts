/** The built daemon as a process, ready and listening, with a probe of its loop inside. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Held } from './loopProbe.js';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const PROBE = new URL('./loopProbe.js', import.meta.url).href;
const LOOK_MS = 5;

export interface DaemonProcess {
  readonly url: string;
  /** Resident (Linux). */
  megabytes(): number;
  /** How its loop was held since this was asked last. */
  held(): Promise<Held>;
  end(): Promise<void>;
}

/** Listening, and ready unless `from` says that this is waited for elsewhere. */
export async function launch(
  words: readonly string[],
  from: 'ready' | 'listening' = 'ready',
): Promise<DaemonProcess> {
  const child = spawn(process.execPath, ['--import', PROBE, MAIN, 'run', ...words], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const ended = new Promise<void>((resolve) => void child.once('exit', () => resolve()));
  const end = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  try {
    const url = await new Promise<string>((resolve, reject) => {
      let said = '';
      child.once('exit', () => reject(new Error(`the daemon ended: ${said}`)));
      child.stderr?.on('data', (text) => {
        if (said.length < 100_000) said += String(text);
        const listen = /"listen":"(http[^"]+)"/.exec(said)?.[1];
        if (listen !== undefined) resolve(listen);
      });
    });
    while (from === 'ready' && !(await fetch(new URL('/readyz', url))).ok)
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    return {
      url,
      end,
      async held() {
        const answer = once(child, 'message');
        child.send('held?');
        return ((await answer) as [Held])[0];
      },
      megabytes() {
        const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
        return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) / 1024;
      },
    };
  } catch (error) {
    await end();
    throw error;
  }
}
