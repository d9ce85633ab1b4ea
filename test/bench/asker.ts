/** Asks an HTTP server in a process of its own, so many requests a second whether or not it keeps up, and counts. */
import { Agent, request } from 'node:http';

/** What it is told. */
export interface Asking {
  readonly url: string;
  readonly paths: readonly string[];
  readonly perSecond: number;
  readonly seconds: number;
}

/** What it answers. */
export interface Answered {
  readonly asked: number;
  /** How often each status came; 0 is no answer. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly perSecond: number;
  /** Ninety-nine of a hundred were answered by then. */
  readonly slowMs: number;
}

const TURN_MS = 10;

async function askOne(agent: Agent, url: string): Promise<number> {
  return new Promise((resolve) => {
    request(url, { agent }, (answer) => {
      answer
        .resume()
        .once('end', () => resolve(answer.statusCode ?? 0))
        .once('error', () => resolve(0));
    })
      .once('error', () => resolve(0))
      .end();
  });
}

async function askAll({ url, paths, perSecond, seconds }: Asking): Promise<Answered> {
  const agent = new Agent({ keepAlive: true, maxSockets: 50 });
  const statuses: Record<string, number> = {};
  const tookMs: number[] = [];
  const under: Promise<void>[] = [];
  const beganAt = performance.now();
  const one = async (path: string) => {
    const askedAt = performance.now();
    const status = await askOne(agent, `${url}${path}`);
    statuses[status] = (statuses[status] ?? 0) + 1;
    tookMs.push(performance.now() - askedAt);
  };
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const sinceMs = Math.min(performance.now() - beganAt, seconds * 1_000);
      while (under.length < (sinceMs * perSecond) / 1_000)
        under.push(one(paths[under.length % paths.length] ?? '/'));
      if (sinceMs < seconds * 1_000) return;
      clearInterval(timer);
      resolve();
    }, TURN_MS);
  });
  await Promise.all(under);
  agent.destroy();
  const sorted = tookMs.toSorted((a, b) => a - b);
  return {
    asked: under.length,
    statuses,
    perSecond: (tookMs.length * 1_000) / (performance.now() - beganAt),
    slowMs: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN,
  };
}

process.on('message', (asking) => {
  void askAll(asking as Asking).then((answered) => process.send?.(answered));
});
process.on('disconnect', () => process.exit());
