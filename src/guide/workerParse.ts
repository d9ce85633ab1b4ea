/**
 * The parse door onto a thread of its own, so that reading a guide of any size never holds up a capture (P8). The
 * thread starts with the first job, does one at a time, never keeps the process alive, and is replaced when it dies.
 */

import { Worker } from 'node:worker_threads';
import { CodedError } from '../domain/errors.js';
import type { GuideData, Programme } from '../domain/programme.js';
import type { GuideJob, Parse } from '../io/parse.js';
import type { FromWorker, ToWorker } from './parseMessages.js';

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

  return {
    guide(job) {
      const answer = last.then(() => {
        if (closed) throw new CodedError('guide_unreadable', `${job.path}: stopping`);
        return ask(started(), job);
      });
      last = answer.catch(() => {});
      return answer;
    },
    async close() {
      closed = true;
      await worker?.terminate();
      worker = null;
    },
  };
}

function ask(worker: Worker, job: GuideJob): Promise<GuideData> {
  return new Promise((resolve, reject) => {
    const programmes: Programme[] = [];
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows, this is a thread
    const say = (message: ToWorker) => worker.postMessage(message);
    const died = (why: string) =>
      settle(() => reject(new CodedError('guide_unreadable', `${job.path}: ${why}`)));
    const onError = (error: Error) => died(`the parser failed (${error.message})`);
    const onExit = () => died('the parser ended');
    const onMessage = (message: FromWorker) => {
      switch (message.kind) {
        case 'slice':
          programmes.push(...message.programmes);
          return say({ kind: 'more' });
        case 'done':
          return settle(() => resolve({ ...message.rest, programmes }));
        case 'failed':
          return settle(() => reject(new CodedError(message.code, message.detail)));
      }
    };
    const settle = (answer: () => void) => {
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      worker.unref();
      answer();
    };
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    // While a job runs somebody waits for it; an idle thread keeps nothing alive.
    worker.ref();
    say({ kind: 'guide', job });
  });
}
