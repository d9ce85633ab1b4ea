/**
 * The planner's door onto a thread of its own (P1). The thread starts with the first guide, never keeps the process
 * alive, and is replaced when it dies: then every guide is lost, and whoever has its file reads it again.
 */

import { setImmediate as turn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { CodedError } from '../domain/errors.js';
import type { Capsule } from '../domain/capsule.js';
import type { Decision } from '../domain/plan.js';
import type { Planner } from './planner.js';
import type { FoundDecision, PageParts, PastLines, PlanFacts, PlanNews } from './planFacts.js';
import { createPlanMirror } from './planMirror.js';
import type { FromThread, Question, ReadGuide, ToThread } from './planMessages.js';

/** Beside this file once it is compiled; Node 20 starts no thread from TypeScript. */
const SCRIPT = new URL('./planThread.js', import.meta.url);
/** Of the thread alone: a runaway guide must not take the recorder with it. */
const HEAP_MB_MAX = 1_536;
/** What is read or told there mostly stays, so that a nursery as large as V8 makes it (48) is memory for nothing. */
const NURSERY_MB_MAX = 4;
const CHANGES_A_TURN = 4;
/** The largest guide takes seconds. Who says nothing for so long never will, and no plan would be made again. */
const PATIENCE_MS = 600_000;

interface Asked {
  readonly rows: unknown[];
  resolve(answer: { readonly rows: readonly unknown[]; readonly rest: unknown }): void;
  reject(error: CodedError): void;
}

/** One life of the thread. */
interface Life {
  readonly worker: Worker;
  readonly asked: Map<number, Asked>;
  readonly mirror: ReturnType<typeof createPlanMirror>;
  /** What is known is told by one at a time; a question follows what was told for it. */
  telling: Promise<void>;
  /** Runs while somebody is asked for an answer. */
  patience: NodeJS.Timeout | undefined;
}

export function createThreadPlanner(script: URL = SCRIPT, patienceMs = PATIENCE_MS): Planner {
  let life: Life | null = null;
  let ids = 0;
  let numbers = 0;
  let closed = false;
  let onLost: () => void = () => undefined;

  function alive(): Life {
    if (closed) throw new CodedError('guide_unreadable', 'stopping');
    if (life !== null) return life;
    const worker = new Worker(script, {
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX, maxYoungGenerationSizeMb: NURSERY_MB_MAX },
    });
    const fresh: Life = {
      worker,
      asked: new Map(),
      mirror: createPlanMirror(),
      telling: Promise.resolve(),
      patience: undefined,
    };
    life = fresh;
    let why = 'the planner ended or does not answer';
    worker.on('message', (message: FromThread) => hear(fresh, message));
    worker.on('error', (error) => (why = `the planner failed (${error.message})`));
    worker.once('exit', () => {
      if (life === fresh) life = null;
      clearTimeout(fresh.patience);
      for (const { reject } of fresh.asked.values()) reject(new CodedError('guide_unreadable', why));
      fresh.asked.clear();
      if (!closed) onLost();
    });
    worker.unref();
    return fresh;
  }

  function say({ worker }: Life, message: ToThread): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows, this is a thread
    worker.postMessage(message);
  }

  function hear(own: Life, message: FromThread): void {
    const asked = own.asked.get(message.id);
    if (!asked) return;
    own.patience?.refresh();
    switch (message.kind) {
      case 'slice':
        asked.rows.push(...message.rows);
        return say(own, { kind: 'more', id: message.id });
      case 'done':
        settle(own, message.id);
        return asked.resolve({ rows: asked.rows, rest: message.rest });
      case 'failed':
        settle(own, message.id);
        return asked.reject(new CodedError(message.code, message.detail));
    }
  }

  function settle(own: Life, id: number): void {
    own.asked.delete(id);
    if (own.asked.size > 0) return;
    clearTimeout(own.patience);
    // Whoever closes waits for its end, and an answer may come before that.
    if (!closed) own.worker.unref();
  }

  function ask(own: Life, question: Question): Promise<{ rows: readonly unknown[]; rest: unknown }> {
    return new Promise((resolve, reject) => {
      const id = (ids += 1);
      if (own.asked.size === 0) own.patience = setTimeout(() => void own.worker.terminate(), patienceMs);
      own.asked.set(id, { rows: [], resolve, reject });
      // Somebody waits; an idle thread keeps nothing alive.
      own.worker.ref();
      say(own, { kind: 'ask', id, question });
    });
  }

  /** Tells what is known, and then asks. */
  async function askOf(facts: PlanFacts, question: Question) {
    const own = alive();
    const before = own.telling;
    let told: () => void = () => undefined;
    own.telling = new Promise((resolve) => (told = resolve));
    try {
      await before;
      let changes = 0;
      for (const change of own.mirror.changes(facts)) {
        say(own, { kind: 'change', change });
        changes += 1;
        if (changes % CHANGES_A_TURN === 0) await turn();
      }
      if (life !== own) throw new CodedError('guide_unreadable', 'the planner ended');
      const answer = ask(own, question);
      told();
      return await answer;
    } finally {
      told();
    }
  }

  return {
    async read(job, beside) {
      const number = (numbers += 1);
      const { rest } = await ask(alive(), { kind: 'read', number, job, beside });
      return { number, ...(rest as ReadGuide) };
    },
    release(number) {
      if (life) say(life, { kind: 'release', number });
    },
    async plan(facts, wish) {
      const { rows, rest } = await askOf(facts, { kind: 'plan', wish });
      const decisions: Decision[] = [];
      const over: PastLines[] = [];
      for (const row of rows as readonly ({ decision: Decision } | { lines: PastLines })[])
        if ('decision' in row) decisions.push(row.decision);
        else over.push(row.lines);
      return { decisions, over, rest: rest as PlanNews['rest'] };
    },
    planPage: async (now) => (await ask(alive(), { kind: 'planPage', now })).rest as PageParts,
    guidePage: async (facts, wish, now) =>
      (await askOf(facts, { kind: 'guidePage', wish, now })).rest as PageParts,
    found: async (query) => (await ask(alive(), { kind: 'found', query })).rows as readonly FoundDecision[],
    capsule: async (facts, capsuleId, now) =>
      (await askOf(facts, { kind: 'capsule', capsuleId, now })).rest as Capsule | null,
    onLost: (task) => (onLost = task),
    async close() {
      closed = true;
      await life?.worker.terminate();
    },
  };
}
