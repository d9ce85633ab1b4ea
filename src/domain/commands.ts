/**
 * What a person may tell a recording, and what comes of it in each state (CONTRACT §1, §5). A command asks for a state
 * of things, not for a step: given twice, it does nothing the second time.
 */

import type { ErrorCode } from './errors.js';
import type { Recording } from './recording.js';

export const COMMAND_VERBS = ['cancel', 'retry', 'keep', 'unkeep', 'delete'] as const;
export type CommandVerb = (typeof COMMAND_VERBS)[number];

/** What the recording's chart is told. */
export type CommandEvent =
  | { readonly type: 'CANCEL'; readonly at: number; readonly reason: string }
  | { readonly type: 'RETRY' | 'KEEP' | 'UNKEEP' | 'DELETE'; readonly at: number };

export type CommandJudgement =
  | { readonly kind: 'send'; readonly event: CommandEvent }
  /** It is so already. */
  | { readonly kind: 'done' }
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly detail: string };

/** Why a recording is `cancelled` when a person said so; no word of the plan, which may change its mind. */
export const CANCELLED_BY_USER = 'cancelled_by_user';

const DONE: CommandJudgement = { kind: 'done' };

/** `path` is the dotted state of its chart. */
export function judgeCommand(
  verb: CommandVerb,
  recording: Recording,
  path: string,
  at: number,
): CommandJudgement {
  const state = path.split('.')[0] ?? '';
  const removing = state === 'expired' || recording.evictedBy !== '';
  if (verb === 'delete') return removing ? DONE : { kind: 'send', event: { type: 'DELETE', at } };
  if (removing) return refused('recording_over', 'It is being removed.');
  switch (verb) {
    case 'keep':
      return recording.keep ? DONE : { kind: 'send', event: { type: 'KEEP', at } };
    case 'unkeep':
      return recording.keep ? { kind: 'send', event: { type: 'UNKEEP', at } } : DONE;
    case 'cancel':
      if (state === 'cancelled' || recording.closing === 'cancelled') return DONE;
      return isUnderWay(state)
        ? { kind: 'send', event: { type: 'CANCEL', at, reason: CANCELLED_BY_USER } }
        : refused('recording_over', `It is ${state}; \`delete\` removes it.`);
    case 'retry':
      if (isUnderWay(state) && recording.closing !== 'cancelled') return DONE;
      return path.endsWith('.revocable') && at < recording.window.stopAt
        ? { kind: 'send', event: { type: 'RETRY', at } }
        : refused('recording_over', `It is ${state} and cannot be taken up (again).`);
  }
}

function isUnderWay(state: string): boolean {
  return ['scheduled', 'spooling', 'retrying', 'failover'].includes(state);
}

function refused(code: ErrorCode, detail: string): CommandJudgement {
  return { kind: 'refused', code, detail };
}

export type Sought =
  | { readonly kind: 'found'; readonly id: string }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'ambiguous'; readonly ids: readonly string[] };

/** Ids are hex digits; a whole one, or the beginning of exactly one. */
export function findId(text: string, ids: Iterable<string>): Sought {
  const wanted = text.trim().toLowerCase();
  if (!/^[0-9a-f]{1,40}$/.test(wanted)) return { kind: 'unknown' };
  const found: string[] = [];
  for (const id of ids) {
    if (id === wanted) return { kind: 'found', id };
    if (id.startsWith(wanted)) found.push(id);
  }
  const [first, ...others] = found;
  if (first === undefined) return { kind: 'unknown' };
  return others.length === 0
    ? { kind: 'found', id: first }
    : { kind: 'ambiguous', ids: found.toSorted().slice(0, 5) };
}
