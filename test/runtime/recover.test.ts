import { getShortestPaths } from '@xstate/graph';
import { createActor, fromPromise, type AnyStateNode } from 'xstate';
import { describe, expect, it } from 'vitest';
import { recordingMachine } from '../../machines/recording.js';
import { refKey } from '../../src/domain/channel.js';
import { statePath } from '../../src/runtime/entries.js';
import { folded, inert, plain } from '../../src/runtime/recover.js';
import { ARCHIVED, fresh, steps, T0, view } from '../machines/scenario.js';

type Snapshot = ReturnType<(typeof recordingMachine)['getInitialSnapshot']>;

const AT = T0 + 10 * 60_000;
const RESTARTED = {
  type: 'RESTARTED',
  at: AT,
  downFrom: AT - 60_000,
  reason: 'daemon_restart',
  spool: null,
  patience: { backoffMs: 1, backoffMsMax: 2, attemptsMax: 3, fallback: true },
} as const;

/** One snapshot of every kind that the chart can tell apart, as the store would have it. */
const stored = [fresh(), fresh({ capsule: ARCHIVED })].flatMap((input) =>
  getShortestPaths(recordingMachine, {
    input,
    limit: 20_000,
    events: steps as never,
    serializeState: view,
  }).map(({ state }) => plain(recordingMachine.getPersistedSnapshot(state)) as unknown as Stored),
);

interface Stored {
  readonly value: unknown;
  readonly context: Snapshot['context'];
  readonly children: Readonly<Record<string, unknown>>;
}

/** What a restart makes of each state; the others stay what they are. */
const AFTER: Readonly<Record<string, string>> = {
  'scheduled.queued': 'scheduled.early',
  'spooling.open': 'retrying.awaitingSlot',
  'spooling.closing': 'retrying.awaitingSlot',
  'retrying.backingOff': 'retrying.awaitingSlot',
  failover: 'retrying.awaitingSlot',
  'finalizing.blocked': 'finalizing.working',
};

/** What is finalizing may have something to ask the archive for. */
const AGAIN = new Set(['finalizing.working', 'finalizing.archive.early']);

function leaves(node: AnyStateNode, path = ''): string[] {
  const children = Object.values(node.states);
  if (children.length === 0) return [path];
  return children.flatMap((child) => leaves(child, path === '' ? child.key : `${path}.${child.key}`));
}

/** Lives from a snapshot with effects that never end; what it asks for is noted. */
function revived(snapshot: unknown) {
  const effects: string[] = [];
  const effect = (name: string) =>
    fromPromise<never>(() => {
      effects.push(name);
      return new Promise(() => {});
    });
  const machine = recordingMachine.provide({
    actors: {
      capture: effect('capture'),
      replay: effect('replay'),
      finalize: effect('finalize'),
      seal: effect('seal'),
      remove: effect('remove'),
    } as never,
  });
  const actor = createActor(machine, { snapshot: snapshot as never, input: undefined as never }).start();
  return { actor, effects };
}

describe('a stored recording', () => {
  it('is of every state that there is', () => {
    const paths = new Set(stored.map(({ value }) => statePath(value)));
    // Nobody stays where it is only chosen what comes next.
    const all = leaves(recordingMachine.root).filter((path) => path !== 'finalizing.choosing');
    expect([...paths].toSorted()).toEqual(all.toSorted());
  });

  it('folds a restart into a state that the chart knows, with no connection, slot or wish of its past life', () => {
    for (const snapshot of stored) {
      const before = statePath(snapshot.value);
      const after = folded(snapshot, RESTARTED) as unknown as Stored;
      const known = inert(after);
      const { closing, evictedBy } = snapshot.context;
      const isCancelled = before === 'spooling.closing' && closing === 'cancelled';
      const path = statePath(known.value);
      if (before.startsWith('finalizing')) expect(AGAIN).toContain(path);
      // What a person deleted while it was closing goes on to its end.
      else if (isCancelled) expect(path).toBe(evictedBy !== '' ? 'expired.removing' : 'cancelled.revocable');
      else expect(path).toBe(AFTER[before] ?? before);
      if (!before.startsWith('expired') && !/\.(revocable|blocked|resting)$/.test(before)) {
        expect(after.context).toMatchObject({ current: null, waiting: null, closing: null });
        expect(after.context).toMatchObject({ recoveredAt: AT, patience: RESTARTED.patience });
      }
      // Twice is as good as once: a crash in the middle of a recovery costs nothing.
      const twice = folded(after, RESTARTED) as unknown as Stored;
      expect(twice.value).toEqual(after.value);
      expect(twice.context.stretches).toEqual(after.context.stretches);
      expect(twice.context.gaps).toEqual(after.context.gaps);
    }
  });

  it('keeps every byte, stretch, gap and key that was known', () => {
    for (const snapshot of stored) {
      const { context } = folded(snapshot, RESTARTED) as unknown as Stored;
      const { bytes, stretches, keys, window, health, attempts, keep } = snapshot.context;
      expect(context).toMatchObject({ bytes, stretches, keys, window, attempts, keep });
      expect(Object.keys(context.health)).toEqual(Object.keys(health));
      expect(context.gaps.slice(0, snapshot.context.gaps.length)).toEqual(snapshot.context.gaps);
    }
  });

  it('awaits something or does something when it lives again: none is stuck', () => {
    for (const snapshot of stored) {
      const after = folded(snapshot, RESTARTED);
      const { actor, effects } = revived(after);
      const { context, value } = actor.getSnapshot();
      const path = statePath(value);
      const ends = path === 'expired.gone' || path.endsWith('.resting') || context.keep;
      if (!ends) expect([path, context.deadline !== null || effects.length > 0]).toEqual([path, true]);
      // No capture runs before a slot is granted.
      expect(effects).not.toContain('capture');
      actor.stop();
    }
  });

  it('learns from the spool what it had not been told before the crash', () => {
    const running = stored.find(
      ({ value, context }) => statePath(value) === 'spooling.open' && context.bytes === 0,
    );
    const spool = { bytes: 376, writtenAt: AT - 30_000 };
    const { context } = folded(running, { ...RESTARTED, spool }) as unknown as Stored;
    expect(context.bytes).toBe(376);
    expect(context.stretches).toHaveLength(1);
    expect(refKey(context.stretches[0]?.source ?? fresh().capsule.upstreams[0]!)).toBe(
      refKey(running?.context.current ?? fresh().capsule.upstreams[1]!),
    );
    expect(context.lastFault).toMatchObject({ cause: 'restart' });
  });
});

describe('a snapshot that makes no sense', () => {
  const good = stored[0] as unknown as { context: Record<string, unknown> };
  const cases: [string, unknown][] = [
    ['nothing', null],
    ['a text', 'published'],
    ['an empty object', {}],
    ['one that was stopped', { ...good, status: 'stopped' }],
    ['one that had failed', { ...good, status: 'error' }],
    ['a state that no chart knows', { ...good, value: 'dreaming' }],
    ['a state inside one that has it not', { ...good, value: { spooling: 'dreaming' } }],
    ['no state at all', { ...good, value: undefined }],
    ['no context', { ...good, context: undefined }],
    ...['id', 'keys', 'window', 'bytes', 'capsule', 'stretches', 'patience'].map(
      (field): [string, unknown] => [
        `a context without ${field}`,
        { ...good, context: { ...good.context, [field]: undefined } },
      ],
    ),
    ['a number that is none', { ...good, context: { ...good.context, bytes: 'many' } }],
    ['a list that is none', { ...good, context: { ...good.context, gaps: {} } }],
  ];

  it.each(cases)('is refused: %s', (_, snapshot) => {
    expect(() => inert(snapshot)).toThrow(expect.objectContaining({ code: 'state_invalid' }));
  });

  it('is not changed by being looked at', () => {
    const copy = structuredClone(good);
    inert(good);
    folded(good, RESTARTED);
    expect(good).toEqual(copy);
  });
});

describe('the path of a state', () => {
  it.each([
    ['published', 'published'],
    [{ spooling: 'open' }, 'spooling.open'],
    [{ a: { b: 'c' } }, 'a.b.c'],
  ])('%j is %s', (value, path) => {
    expect(statePath(value)).toBe(path);
  });
});
