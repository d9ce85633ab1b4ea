import { getShortestPaths } from '@xstate/graph';
import { transition } from 'xstate';
import { describe, expect, it } from 'vitest';
import { recordingMachine } from '../../machines/recording.js';
import { COMMAND_VERBS, judgeCommand, type CommandVerb } from '../../src/domain/commands.js';
import { statePath } from '../../src/runtime/entries.js';
import { fresh, steps, T0, view } from './scenario.js';

const DURING = T0 + 300_000;

describe('a command', () => {
  const states = getShortestPaths(recordingMachine, {
    input: fresh(),
    limit: 20_000,
    events: steps as never,
    serializeState: view,
  }).map(({ state }) => state);

  it.each(COMMAND_VERBS)('%s is taken once in every state where it means something', (verb: CommandVerb) => {
    const kinds = new Set<string>();
    for (const state of states) {
      const judged = judgeCommand(verb, state.context, statePath(state.value), DURING);
      kinds.add(judged.kind);
      if (judged.kind !== 'send') continue;
      const [next] = transition(recordingMachine, state, judged.event);
      expect(statePath(next.value) !== statePath(state.value) || next.context !== state.context).toBe(true);
      expect(judgeCommand(verb, next.context, statePath(next.value), DURING).kind).toBe('done');
    }
    expect(kinds).toContain('send');
    expect(kinds).toContain('done');
    expect(states.length).toBeGreaterThan(50);
  });

  it('delete ends every recording, whatever it is doing, without anybody asking again', () => {
    for (const state of states) {
      let [at] = transition(recordingMachine, state, { type: 'DELETE', at: DURING });
      for (let step = 0; step < 12 && !statePath(at.value).startsWith('expired'); step += 1) {
        const next = steps(at).find(
          ({ type, name }) =>
            name === 'xstate.done.actor.capture 1' ||
            name === 'xstate.done.actor.finalize 1' ||
            name === 'xstate.done.actor.seal 1' ||
            (type === 'DEADLINE' && name === 'DEADLINE 1'),
        );
        if (!next) break;
        [at] = transition(recordingMachine, at, next as never);
      }
      expect(statePath(at.value)).toMatch(/^expired/);
      expect(at.context.evictedBy).toBe('removed_by_user');
    }
  });
});
