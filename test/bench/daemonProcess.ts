/** The built daemon as a process, ready and listening. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const LOOK_MS = 5;

export interface DaemonProcess {
  readonly url: string;
  /** Resident (Linux). */
  megabytes(): number;
  end(): Promise<void>;
}

export async function launch(words: readonly string[]): Promise<DaemonProcess> {
  const child = spawn(process.execPath, [MAIN, 'run', ...words], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise<void>((resolve) => void child.once('exit', () => resolve()));
  const end = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  try {
    const url = await new Promise<string>((resolve, reject) => {
      let said = '';
      child.once('exit', () => reject(new Error(`the daemon ended: ${said}`)));
      child.stderr.on('data', (text) => {
        if (said.length < 100_000) said += String(text);
        const listen = /"listen":"(http[^"]+)"/.exec(said)?.[1];
        if (listen !== undefined) resolve(listen);
      });
    });
    while (!(await fetch(new URL('/readyz', url))).ok)
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    return {
      url,
      end,
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
