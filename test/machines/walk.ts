/** What every path test needs: the edges of a chart, and a live actor whose effects end when and how a script says. */
import {
  createActor,
  fromPromise,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type AnyStateNode,
  type AnyTransitionDefinition,
  type InspectionEvent,
  type Snapshot,
} from 'xstate';

/** What arrives at a step: an event, or what an effect gives back. By name, so that it can be made anew elsewhere. */
export interface Move {
  readonly name: string;
  readonly type: string;
  readonly output?: unknown;
}

const DONE = 'xstate.done.actor.';

/** Gives each of several moves of one type its own name. */
export function named<T extends { readonly type: string }>(moves: readonly T[]): (T & Move)[] {
  const seen = new Map<string, number>();
  return moves.map((move) => {
    const count = (seen.get(move.type) ?? 0) + 1;
    seen.set(move.type, count);
    return { ...move, name: `${move.type} ${count}` };
  });
}

/** Every transition that a chart has, by where it stands. */
export function edgesOf(machine: AnyStateMachine): ReadonlyMap<string, AnyTransitionDefinition> {
  const all = new Map<string, AnyTransitionDefinition>();
  const visit = (at: AnyStateNode) => {
    for (const [descriptor, list] of at.transitions)
      list.forEach((edge, index) => all.set(`${at.id} ${descriptor} #${index}`, edge));
    at.always?.forEach((edge, index) => all.set(`${at.id} always #${index}`, edge));
    for (const child of Object.values(at.states)) visit(child);
  };
  visit(machine.root);
  return all;
}

/** One transition is one edge, whichever provided copy of the chart it was seen in. */
function edgeName(edge: AnyTransitionDefinition): string {
  const { id, transitions, always = [] } = edge.source;
  const at = always.indexOf(edge);
  if (at >= 0) return `${id} always #${at}`;
  for (const [descriptor, list] of transitions)
    if (list.includes(edge)) return `${id} ${descriptor} #${list.indexOf(edge)}`;
  throw new Error(`an edge that its state does not have: ${id} ${edge.eventType}`);
}

type Asked = Map<string, (outcome: unknown) => void>;

/** What was asked for, by the system of the actor that lives. */
const askedOf = new WeakMap<object, Asked>();
/** A chart with effects that wait to be told how they end is made once: there are thousands of lives. */
const waiting = new WeakMap<AnyStateMachine, AnyStateMachine>();

function withWaitingEffects(machine: AnyStateMachine): AnyStateMachine {
  const known = waiting.get(machine);
  if (known) return known;
  const effects = Object.keys(machine.implementations.actors).map((name) => [
    name,
    fromPromise(({ system }) => new Promise((resolve) => void askedOf.get(system)?.set(name, resolve))),
  ]);
  const made = machine.provide({ actors: Object.fromEntries(effects) as never });
  waiting.set(machine, made);
  return made;
}

export interface Live {
  readonly actor: ReturnType<typeof createActor<AnyStateMachine>>;
  /** Effects that were asked for and have not ended. */
  asked(): readonly string[];
  take(move: Move): Promise<void>;
}

/** A chart that lives, from its input or from a stored snapshot; `walked` collects its edges. */
export function live(
  machine: AnyStateMachine,
  start: { readonly input: unknown } | { readonly snapshot: Snapshot<unknown> },
  walked: Set<string>,
): Live {
  const asked: Asked = new Map();
  const actor = createActor(withWaitingEffects(machine), {
    ...(start as { readonly input: never }),
    inspect(event: InspectionEvent) {
      if (event.type !== '@xstate.microstep' || event.actorRef.sessionId !== event.rootId) return;
      for (const edge of event._transitions) walked.add(edgeName(edge));
    },
  });
  askedOf.set(actor.system, asked);
  actor.start();
  return {
    actor: actor as never,
    asked: () => [...asked.keys()],
    async take(move) {
      if (!move.type.startsWith(DONE)) return actor.send(move);
      const name = move.type.slice(DONE.length);
      const resolve = asked.get(name);
      if (!resolve) throw new Error(`nobody asked for ${name}`);
      asked.delete(name);
      resolve(move.output);
      await new Promise(setImmediate);
    },
  };
}

/** What two walks of one path must have in common. */
export function shown(state: AnyMachineSnapshot) {
  return { value: state.value as unknown, context: state.context as unknown };
}
