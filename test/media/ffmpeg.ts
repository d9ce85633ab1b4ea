/**
 * ffmpeg and ffprobe for tests, out of their npm packages. Those may come without run bits, or be owned by somebody
 * else: then they are copied to the temporary folder, once, and made runnable there.
 */
import { spawn } from 'node:child_process';
import { accessSync, chmodSync, constants, copyFileSync, existsSync, mkdirSync, renameSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const require = createRequire(import.meta.url);

function isRunnable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Files of tests that outlive a run: binaries and clips. One folder a user, so that nobody meets another's rights. */
export function cacheFolder(): string {
  const folder = join(tmpdir(), `catchupd-test-${process.getuid?.() ?? 0}`);
  mkdirSync(folder, { recursive: true });
  return folder;
}

function runnable(packageName: string, binary: string): string {
  const packed = require.resolve(`${packageName}/package.json`).replace(/package\.json$/, binary);
  if (isRunnable(packed)) return packed;
  const copy = join(cacheFolder(), binary);
  if (!existsSync(copy)) {
    const making = `${copy}.${process.pid}`;
    copyFileSync(packed, making);
    chmodSync(making, 0o755);
    renameSync(making, copy);
  }
  return copy;
}

const platform = `${process.platform}-${process.arch}`;
export const ffmpegPath = runnable(`@ffmpeg-installer/${platform}`, 'ffmpeg');
export const ffprobePath = runnable(`@ffprobe-installer/${platform}`, 'ffprobe');

export interface Ran {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Runs a program to its end; `feed` writes its input. */
export function run(
  path: string,
  args: readonly string[],
  feed?: (write: (bytes: Buffer) => void) => void,
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.on('error', reject);
    child.on('close', (code) =>
      resolve({ code, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString() }),
    );
    child.stdin.on('error', () => undefined);
    feed?.((bytes) => child.stdin.write(bytes));
    child.stdin.end();
  });
}
