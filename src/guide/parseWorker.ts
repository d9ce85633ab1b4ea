/** The thread that reads guides and lists; `workerParse.ts` starts it. One job at a time, handed over in slices. */

import { once } from 'node:events';
import { parentPort, type MessagePort } from 'node:worker_threads';
import { CodedError } from '../domain/errors.js';
import { nodeDisk } from '../io/nodeDisk.js';
import { createInlineParse } from './inlineParse.js';
import type { FromWorker, Job, Sliced, ToWorker } from './parseMessages.js';

const SLICE_ROWS = 100;

async function work(port: MessagePort, job: Job): Promise<void> {
  const say = (message: FromWorker) => port.postMessage(message);
  try {
    const { rows, rest } = await parsed(job);
    for (let from = 0; from < rows.length; from += SLICE_ROWS) {
      const taken = once(port, 'message');
      say({ kind: 'slice', rows: rows.slice(from, from + SLICE_ROWS) });
      await taken;
    }
    say({ kind: 'done', rest });
  } catch (error) {
    // What is no expected failure ends the thread, and the one that asks is told so.
    if (!(error instanceof CodedError)) throw error;
    say({ kind: 'failed', code: error.code, detail: error.detail });
  }
}

async function parsed(
  order: Job,
): Promise<{ rows: readonly unknown[]; rest: Sliced['guide' | 'list']['rest'] }> {
  const parse = createInlineParse(nodeDisk);
  if (order.kind === 'guide') {
    const { programmes, ...rest } = await parse.guide(order.job);
    return { rows: programmes, rest };
  }
  const { channels, ...rest } = await parse.list(order.job);
  return { rows: channels, rest };
}

parentPort?.on('message', (message: ToWorker) => {
  if (message.kind !== 'more' && parentPort) void work(parentPort, message);
});
