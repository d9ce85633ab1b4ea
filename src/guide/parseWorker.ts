/** The thread that reads guides; `workerParse.ts` starts it. One job at a time, programmes handed over in slices. */

import { once } from 'node:events';
import { parentPort, type MessagePort } from 'node:worker_threads';
import { CodedError } from '../domain/errors.js';
import type { GuideJob } from '../io/parse.js';
import { nodeDisk } from '../io/nodeDisk.js';
import { createInlineParse } from './inlineParse.js';
import type { FromWorker, ToWorker } from './parseMessages.js';

const SLICE_PROGRAMMES = 500;

async function work(port: MessagePort, job: GuideJob): Promise<void> {
  const say = (message: FromWorker) => port.postMessage(message);
  try {
    const { programmes, ...rest } = await createInlineParse(nodeDisk).guide(job);
    for (let from = 0; from < programmes.length; from += SLICE_PROGRAMMES) {
      const taken = once(port, 'message');
      say({ kind: 'slice', programmes: programmes.slice(from, from + SLICE_PROGRAMMES) });
      await taken;
    }
    say({ kind: 'done', rest });
  } catch (error) {
    // What is no expected failure ends the thread, and the one that asks is told so.
    if (!(error instanceof CodedError)) throw error;
    say({ kind: 'failed', code: error.code, detail: error.detail });
  }
}

parentPort?.on('message', (message: ToWorker) => {
  if (message.kind === 'guide' && parentPort) void work(parentPort, message.job);
});
