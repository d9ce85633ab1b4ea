/** The door to other programs: one is run to its end, or to the end of its time. Never through a shell. */
import { spawn } from 'node:child_process';
import type { Clock } from './clock.js';

export interface ProgramRequest {
  /** The program and its arguments. */
  readonly words: readonly string[];
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** `absent`: it could not be started. `late`: it was ended because its time was over. */
export type ProgramEnd =
  | { readonly kind: 'exited'; readonly code: number; readonly stderr: string }
  | { readonly kind: 'killed'; readonly signal: string; readonly stderr: string }
  | { readonly kind: 'late'; readonly stderr: string }
  | { readonly kind: 'aborted' }
  | { readonly kind: 'absent'; readonly code: string };

export interface Programs {
  run(request: ProgramRequest): Promise<ProgramEnd>;
  /** What a program of ours finds in its environment. */
  environment(): Readonly<Record<string, string | undefined>>;
}

const STDERR_CHARS_MAX = 2_000;
/** From the request to end to the end. */
const GRACE_MS = 3_000;

export function systemPrograms(clock: Clock): Programs {
  return { environment: () => process.env, run: (request) => run(clock, request) };
}

function run(clock: Clock, { words, env, stdin, timeoutMs, signal }: ProgramRequest): Promise<ProgramEnd> {
  const [program = '', ...args] = words;
  return new Promise((resolve) => {
    // A group of its own, so that what it started ends with it.
    const child = spawn(program, args, { env, stdio: ['pipe', 'ignore', 'pipe'], detached: true });
    let stderr = '';
    let why: 'late' | 'aborted' | null = null;
    const kill = (name: NodeJS.Signals) => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, name);
      } catch {
        // It is gone already.
      }
    };
    let grace = clock.after(timeoutMs, () => end('late'));
    function end(reason: 'late' | 'aborted'): void {
      why ??= reason;
      kill('SIGTERM');
      grace.cancel();
      grace = clock.after(GRACE_MS, () => kill('SIGKILL'));
    }
    const onAbort = () => end('aborted');
    function finish(how: ProgramEnd): void {
      grace.cancel();
      signal?.removeEventListener('abort', onAbort);
      child.stderr.destroy();
      resolve(how);
    }
    signal?.addEventListener('abort', onAbort, { once: true });
    child.on('error', (error: NodeJS.ErrnoException) =>
      finish({ kind: 'absent', code: error.code ?? error.name }),
    );
    child.stderr.setEncoding('utf8');
    child.stderr.on('data', (text: string) => (stderr = (stderr + text).slice(-STDERR_CHARS_MAX)));
    // A program need not read what it is given.
    child.stdin.on('error', () => undefined);
    child.stdin.end(stdin);
    child.on('exit', (code, killer) => {
      if (why === 'aborted') finish({ kind: 'aborted' });
      else if (why === 'late') finish({ kind: 'late', stderr });
      else if (code === null) finish({ kind: 'killed', signal: killer ?? 'unknown', stderr });
      else finish({ kind: 'exited', code, stderr });
    });
    if (signal?.aborted === true) onAbort();
  });
}
