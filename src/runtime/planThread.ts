/** The thread that keeps guides and makes plans; `threadPlanner.ts` starts it. */

import { parentPort, type MessagePort } from 'node:worker_threads';
import { CodedError } from '../domain/errors.js';
import { createInlineParse } from '../guide/inlineParse.js';
import { nodeDisk } from '../io/nodeDisk.js';
import { createPlanDesk } from './planDesk.js';
import type { PageParts } from './planFacts.js';
import type { FromThread, Question, ReadGuide, ToThread } from './planMessages.js';
import { createPlanReflection } from './planReflection.js';

const ROWS_A_SLICE = 100;

interface Answer {
  readonly rows: readonly unknown[];
  readonly rest: unknown;
  /** What is handed over rather than copied. */
  readonly buffers?: readonly ArrayBuffer[];
}

function serve(port: MessagePort): void {
  const parse = createInlineParse(nodeDisk);
  const desk = createPlanDesk();
  const told = createPlanReflection();
  const waiting = new Map<number, () => void>();
  /** Guides are read one after the other. */
  let reading: Promise<unknown> = Promise.resolve();

  function say(message: FromThread, buffers: readonly ArrayBuffer[] = []): void {
    port.postMessage(message, [...buffers]);
  }

  async function answerTo(question: Question): Promise<Answer> {
    switch (question.kind) {
      case 'read': {
        const { number, job, beside } = question;
        const parsed = reading.then(() => parse.guide(job));
        reading = parsed.catch(() => undefined);
        const data = await parsed;
        const rest: ReadGuide = { counts: data.counts, shiftMs: desk.keep(number, data, beside) };
        return { rows: [], rest };
      }
      case 'plan': {
        const { decisions, rest, over } = desk.plan(told.facts(), question.wish);
        const rows = [...decisions.map((decision) => ({ decision })), ...over.map((lines) => ({ lines }))];
        return { rows, rest };
      }
      case 'planPage':
        return page(desk.planPage(question.now));
      case 'guidePage':
        return page(desk.guidePage(told.facts(), question.wish, question.now));
      case 'found':
        return { rows: desk.found(question.query), rest: null };
      case 'capsule':
        return { rows: [], rest: desk.capsule(told.facts(), question.capsuleId, question.now) };
    }
  }

  async function answer(id: number, question: Question): Promise<void> {
    try {
      const { rows, rest, buffers } = await answerTo(question);
      for (let from = 0; from < rows.length; from += ROWS_A_SLICE) {
        const taken = new Promise<void>((resolve) => waiting.set(id, resolve));
        say({ kind: 'slice', id, rows: rows.slice(from, from + ROWS_A_SLICE) });
        await taken;
      }
      say({ kind: 'done', id, rest }, buffers);
    } catch (error) {
      // What is no expected failure ends the thread, and the one that asks is told so.
      if (!(error instanceof CodedError)) throw error;
      say({ kind: 'failed', id, code: error.code, detail: error.detail });
    }
  }

  port.on('message', (message: ToThread) => {
    switch (message.kind) {
      case 'change':
        return told.take(message.change);
      case 'release':
        return desk.release(message.number);
      case 'more':
        return waiting.get(message.id)?.();
      case 'ask':
        return void answer(message.id, message.question);
    }
  });
}

function page(parts: PageParts): Answer {
  const buffers = parts.flatMap((part) => (typeof part === 'string' ? [] : [part.buffer as ArrayBuffer]));
  return { rows: [], rest: parts, buffers: [...new Set(buffers)] };
}

if (parentPort) serve(parentPort);
