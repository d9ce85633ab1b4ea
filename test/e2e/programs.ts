/** Real processes for tests: started, watched, ended by their own pid. */
import { fork, spawn, type ChildProcess } from 'node:child_process';
import type { ProviderAnswer, ProviderFacts, ProviderOrder, ProviderWish } from '../fakes/providerProgram.js';
import type { Behaviour, FakePage, FakeProgramme } from '../fakes/provider.js';
import { built } from './built.js';

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Program {
  readonly pid: number;
  /** All of what it said so far. */
  stdout(): string;
  stderr(): string;
  /** Lines of stderr that are JSON. */
  lines(): readonly Readonly<Record<string, unknown>>[];
  readonly exited: Promise<Exit>;
  isRunning(): boolean;
  signal(name: NodeJS.Signals): void;
  /** Kills it if it still runs, and waits for its end. */
  end(): Promise<void>;
}

export interface Surroundings {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly uid?: number;
}

/** Starts `catchupd` with these words. */
export function startCatchupd(words: readonly string[], around: Surroundings): Program {
  const child = spawn(process.execPath, [built().main, ...words], {
    cwd: around.cwd,
    env: { PATH: process.env['PATH'], ...around.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(around.uid !== undefined && { uid: around.uid, gid: around.uid }),
  });
  return programOf(child);
}

export function programOf(child: ChildProcess): Program {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  let running = true;
  const exited = new Promise<Exit>((resolve) => {
    child.once('error', (error) => {
      stderr += String(error);
      resolve({ code: null, signal: null });
    });
    child.once('close', (code, signal) => {
      running = false;
      resolve({ code, signal });
    });
  });
  return {
    pid: child.pid ?? -1,
    stdout: () => stdout,
    stderr: () => stderr,
    lines: () => jsonLines(stderr),
    exited,
    isRunning: () => running,
    signal: (name) => void child.kill(name),
    async end() {
      if (running) child.kill('SIGKILL');
      await exited;
    },
  };
}

function jsonLines(text: string): Record<string, unknown>[] {
  return text.split('\n').flatMap((line) => {
    if (!line.startsWith('{')) return [];
    try {
      return [JSON.parse(line) as Record<string, unknown>];
    } catch {
      return [];
    }
  });
}

export interface ProviderProcess {
  readonly url: string;
  readonly m3uUrl: string;
  readonly catalogUrl: string;
  readonly xmltvUrl: string;
  streamUrl(id: string): string;
  behave(id: string, behaviour: Behaviour): Promise<void>;
  setProgrammes(programmes: readonly FakeProgramme[]): Promise<void>;
  setPage(path: string, page: FakePage | null): Promise<void>;
  /** Breaks every stream of this channel off. */
  cut(id: string): Promise<void>;
  facts(): Promise<ProviderFacts>;
  /** How often a channel was asked for. */
  asked(id: string): Promise<number>;
  end(): Promise<void>;
}

export async function startProvider(wish: ProviderWish): Promise<ProviderProcess> {
  const child = fork(built().provider, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const waiting = new Map<number, (answer: ProviderAnswer) => void>();
  let number = 0;
  child.on('message', (answer: ProviderAnswer) => {
    waiting.get(answer.number)?.(answer);
    waiting.delete(answer.number);
  });
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  async function order(what: ProviderOrder): Promise<ProviderFacts> {
    const own = (number += 1);
    const answered = new Promise<ProviderAnswer>((resolve) => waiting.set(own, resolve));
    child.send({ number: own, order: what });
    const gone = closed.then(() => ({ number: own, error: 'the provider has ended' }));
    const answer = await Promise.race([answered, gone]);
    if ('error' in answer) throw new Error(answer.error);
    return answer.facts;
  }
  const { url } = await order({ do: 'start', wish });
  const streamUrl = (id: string) => `${url}/live/${encodeURIComponent(id)}.ts`;
  return {
    url,
    m3uUrl: `${url}/lineup.m3u`,
    catalogUrl: `${url}/catalog.json`,
    xmltvUrl: `${url}/guide.xml`,
    streamUrl,
    behave: async (id, behaviour) => void (await order({ do: 'behave', id, behaviour })),
    setProgrammes: async (programmes) => void (await order({ do: 'programmes', programmes })),
    setPage: async (path, page) => void (await order({ do: 'page', path, page })),
    cut: async (id) => void (await order({ do: 'cut', id })),
    facts: () => order({ do: 'facts' }),
    async asked(id) {
      const { requests } = await order({ do: 'facts' });
      return requests.filter(({ path }) => /^\/(?:live|stream)\//.test(path) && path.includes(id)).length;
    },
    async end() {
      child.kill('SIGKILL');
      await closed;
    },
  };
}
