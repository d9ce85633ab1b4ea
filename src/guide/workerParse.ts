/**
 * The parse door onto a thread of its own, so that reading a guide or a list of any size never holds up a capture (P8). The
 * thread starts with the first job, does one at a time, never keeps the process alive, and is replaced when it dies.
 */

import { Worker } from 'node:worker_threads';
import { CodedError, type ErrorCode } from '../domain/errors.js';
import type { Parse } from '../io/parse.js';
import type { FromWorker, Job, Sliced, ToWorker } from './parseMessages.js';

/** Beside this file once it is compiled; Node 20 starts no thread from TypeScript. */
const SCRIPT = new URL('./parseWorker.js', import.meta.url);
/** Of the thread alone: a runaway guide must not take the recorder with it. */
const HEAP_MB_MAX = 768;

/** Rejects as `createInlineParse` does, and with `guide_unreadable` when the thread dies or the door is closed. */
export function createWorkerParse(script: URL = SCRIPT): Parse {
  let worker: Worker | null = null;
  let last: Promise<unknown> = Promise.resolve();
  let closed = false;

  function started(): Worker {
    if (worker !== null) return worker;
    const fresh = new Worker(script, { resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX } });
    fresh.once('exit', () => {
      if (worker === fresh) worker = null;
    });
    // A fault outside of a job is followed by `exit`; without this it would end the process.
    fresh.on('error', () => {
      if (worker === fresh) worker = null;
    });
    worker = fresh;
    return fresh;
  }

  /** One after the other: the thread does one job at a time. */
  function next<T>(order: Job, whole: (rows: readonly unknown[], rest: unknown) => T): Promise<T> {
    const answer = last.then(async () => {
      if (closed) throw new CodedError(codeOf(order), `${order.job.path}: stopping`);
      const own = started();
      try {
        const { rows, rest } = await ask(own, order);
        return whole(rows, rest);
      } finally {
        // Whoever closes waits for its end, and an answer may come before that.
        if (!closed) own.unref();
      }
    });
    last = answer.catch(() => {});
    return answer;
  }

  return {
    guide: (job) =>
      next({ kind: 'guide', job }, (rows, rest) => ({
        ...(rest as Sliced['guide']['rest']),
        programmes: rows as Sliced['guide']['slice'],
      })),
    list: (job) =>
      next({ kind: 'list', job }, (rows, rest) => ({
        ...(rest as Sliced['list']['rest']),
        channels: rows as Sliced['list']['slice'],
      })),
    async close() {
      closed = true;
      await worker?.terminate();
      worker = null;
    },
  };
}

function codeOf({ kind }: Job): ErrorCode {
  return kind === 'guide' ? 'guide_unreadable' : 'list_unreadable';
}

interface Answer {
  readonly rows: readonly unknown[];
  readonly rest: unknown;
}

function ask(worker: Worker, order: Job): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const rows: unknown[] = [];
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows, this is a thread
    const say = (message: ToWorker) => worker.postMessage(message);
    const died = (why: string) =>
      settle(() => reject(new CodedError(codeOf(order), `${order.job.path}: ${why}`)));
    const onError = (error: Error) => died(`the parser failed (${error.message})`);
    const onExit = () => died('the parser ended');
    const onMessage = (message: FromWorker) => {
      switch (message.kind) {
        case 'slice':
          rows.push(...message.rows);
          return say({ kind: 'more' });
        case 'done':
          return settle(() => resolve({ rows, rest: message.rest }));
        case 'failed':
          return settle(() => reject(new CodedError(message.code, message.detail)));
      }
    };
    const settle = (answer: () => void) => {
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      answer();
    };
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    // While a job runs somebody waits for it; an idle thread keeps nothing alive.
    worker.ref();
    say(order);
  });
}
