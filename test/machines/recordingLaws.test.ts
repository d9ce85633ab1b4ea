/**
 * What must hold of a recording whatever happens to it, asked at every step from every state that its chart can tell
 * apart. The paths say that a live one goes where the chart goes; this says where the chart may go.
 */
import { getShortestPaths } from '@xstate/graph';
import { initialTransition, transition } from 'xstate';
import { describe, expect, test } from 'vitest';
import type { Told } from '../../machines/events.js';
import { recordingMachine } from '../../machines/recording.js';
import type { FreshRecording } from '../../machines/recordingContext.js';
import { candidates, closeAt, withLastGap } from '../../src/domain/capturing.js';
import { replayRef } from '../../src/domain/replay.js';
import { statePath } from '../../src/runtime/entries.js';
import { ARCHIVED, fresh, steps, view, type NamedStep } from './scenario.js';

type State = ReturnType<(typeof recordingMachine)['getInitialSnapshot']>;

/** What the scheduler knows of a recording. */
interface Place {
  readonly wish: Extract<Told, { type: 'WANTS' }> | null;
  readonly held: boolean;
}

interface Step {
  readonly event: NamedStep;
  readonly before: State;
  readonly after: State;
  readonly from: string;
  readonly to: string;
  readonly told: readonly Told[];
  readonly place: Place;
  readonly name: string;
}

const NO_PLACE: Place = { wish: null, held: false };

function heard(place: Place, event: NamedStep | null, told: readonly Told[]): Place {
  let now = place;
  // Another life of the scheduler knows nothing of either; and it gives to nobody who did not ask.
  if (event?.type === 'RESTARTED') now = NO_PLACE;
  if (event?.type === 'GRANTED' && place.wish !== null) now = { wish: null, held: true };
  for (const message of told) {
    // A wish does not give back a place on a connection that is open; the place of one that broke goes with it.
    if (message.type === 'WANTS') now = { wish: message, held: now.held };
    if (message.type === 'PAUSED') now = NO_PLACE;
    if (message.type === 'RELEASED' || message.type === 'GONE') now = NO_PLACE;
  }
  return now;
}

function toldIn(actions: readonly { readonly type: string; readonly params?: unknown }[]): readonly Told[] {
  return actions.flatMap(({ type, params }) => (type === 'tell' ? [params as Told] : []));
}

const { patience } = fresh();
const INPUTS: readonly FreshRecording[] = [
  fresh(),
  fresh({ patience: { ...patience, attemptsMax: 1 } }),
  fresh({ patience: { ...patience, fallback: false } }),
  fresh({ capsule: ARCHIVED }),
];

/** Every step from the end of every path, with what the scheduler was told on the way. */
function everyStep(): readonly Step[] {
  return INPUTS.flatMap((input) => {
    const paths = getShortestPaths(recordingMachine, {
      input,
      limit: 20_000,
      events: steps as never,
      serializeState: view,
    }) as unknown as { steps: { event: NamedStep }[] }[];
    return paths.flatMap((path) => {
      const born = initialTransition(recordingMachine, input);
      let [state] = born;
      let place = heard(NO_PLACE, null, toldIn(born[1]));
      const walked: string[] = [];
      const take = (event: NamedStep): Step => {
        const [after, actions] = transition(recordingMachine, state, event as never);
        const told = toldIn(actions);
        const [from, to] = [statePath(state.value), statePath(after.value)];
        const name = `${[...walked, event.name].join(', ')}: ${from} → ${to}`;
        return { event, before: state, after, from, to, told, place: heard(place, event, told), name };
      };
      for (const { event } of path.steps.slice(1)) {
        const step = take(steps(state).find(({ name }) => name === event.name)!);
        ({ after: state, place } = step);
        walked.push(event.name);
      }
      return steps(state).map(take);
    });
  });
}

const all = everyStep();

/** Those of the steps that break a law. */
function breaking(holds: (step: Step) => boolean, isMeant: (step: Step) => boolean = () => true): string[] {
  const meant = all.filter(isMeant);
  expect(meant.length).toBeGreaterThan(0);
  return meant.filter((step) => !holds(step)).map(({ name }) => name);
}

const atOf = ({ event }: Step) => ('at' in event ? event.at : (event.output as { readonly at: number }).at);
const isEnded = (path: string) => /^(finalizing|published|failed|cancelled|expired)/.test(path);
const isAsking = (path: string) => /^(scheduled\.queued|retrying\.awaitingSlot|failover)$/.test(path);
const ASKS_ARCHIVE = 'finalizing.archive.queued';
const HOLDS = /^(spooling\.|finalizing\.archive\.fetching$)/;

describe('a recording', () => {
  test('wants or has a place only where it has a use for one', () => {
    const isFree = ({ place }: Step) => !place.held && place.wish === null;
    const mayWant = ({ to }: Step) => isAsking(to) || to === ASKS_ARCHIVE;
    expect(breaking(isFree, (step) => !mayWant(step) && !HOLDS.test(step.to))).toEqual([]);
    expect(breaking(({ place }) => !place.held && place.wish !== null, mayWant)).toEqual([]);
  });

  test('has asked for what it would ask for now, wherever it waits for a place', () => {
    const isAsked = ({ place: { wish }, after: { context }, to }: Step) => {
      const { priority, window } = context;
      const own = { candidates: candidates(context), priority, stopAt: window.stopAt };
      const other = { candidates: [replayRef(context.id)], stopAt: window.stopAt };
      return JSON.stringify(wish) === JSON.stringify({ ...wish, ...(to === ASKS_ARCHIVE ? other : own) });
    };
    expect(breaking(isAsked, ({ to }) => isAsking(to) || to === ASKS_ARCHIVE)).toEqual([]);
    // P3: as long as the window lasts, something is left to try.
    const hasOne = ({ place }: Step) => (place.wish?.candidates.length ?? 0) > 0;
    expect(breaking(hasOne, ({ to }) => isAsking(to))).toEqual([]);
  });

  test('waits for a time or an effect, unless it is done or kept by a person', () => {
    const isMoved = ({ after: { context, children } }: Step) =>
      context.deadline !== null || Object.values(children).some((child) => child !== undefined);
    const isLeft = ({ to, after }: Step) =>
      /resting|gone/.test(to) || (to === 'published' && after.context.keep);
    expect(breaking(isMoved, (step) => !isLeft(step))).toEqual([]);
    // A published one awaits its own end, whatever was said of it before.
    const awaitsEnd = ({ after: { context } }: Step) =>
      context.deadline?.kind === 'expire' && context.deadline.at === context.expiresAt;
    expect(breaking(awaitsEnd, ({ to, after }) => to === 'published' && !after.context.keep)).toEqual([]);
  });

  test('does nothing at a time that it does not await', () => {
    const isStale = ({ event, before }: Step) =>
      event.type === 'DEADLINE' && event.dueAt !== before.context.deadline?.at;
    const isSame = ({ before, after, from, to }: Step) => from === to && before.context === after.context;
    expect(breaking(isSame, isStale)).toEqual([]);
  });

  test('loses no byte, no name and no place of its media by anything that it is told', () => {
    const isKept = ({ event, before: { context: before }, after: { context: after } }: Step) =>
      (after.bytes >= before.bytes || event.type === 'RESTARTED') &&
      before.keys.every((key) => after.keys.includes(key)) &&
      (after.spool === before.spool || event.type.startsWith('xstate.done.actor.replay')) &&
      (before.files === null || after.files === before.files);
    expect(breaking(isKept)).toEqual([]);
    const isCounted = ({ after: { context }, before, event }: Step) => {
      const { piece = null } =
        'output' in event ? (event.output as { piece?: { bytes: number } | null }) : {};
      return piece === null || context.bytes === before.context.bytes + piece.bytes;
    };
    expect(breaking(isCounted, ({ event }) => event.type === 'xstate.done.actor.capture')).toEqual([]);
  });

  test('has a cause for every silence up to its end', () => {
    const isTold = (step: Step) => {
      const { context } = step.after;
      return Object.keys(withLastGap(context, Math.min(atOf(step), closeAt(context)))).length === 0;
    };
    const isOver = ({ from, to, after }: Step) =>
      !isEnded(from) && /^(finalizing|cancelled)/.test(to) && after.context.lastFault !== null;
    expect(breaking(isTold, isOver)).toEqual([]);
  });

  test('remembers why a person wanted it to end, and ends', () => {
    const isSaid = ({ event, after, to }: Step) =>
      after.context.cancelReason === (event as { reason?: string }).reason &&
      (to.startsWith('cancelled') || (to === 'spooling.closing' && after.context.closing === 'cancelled'));
    expect(breaking(isSaid, ({ event, from }) => event.type === 'CANCEL' && !isEnded(from))).toEqual([]);
    const isDoomed = ({ after: { context }, to }: Step) =>
      context.evictedBy === 'removed_by_user' && !context.keep && !/^(scheduled|retrying|failover)/.test(to);
    expect(
      breaking(isDoomed, ({ event, to }) => event.type === 'DELETE' && !to.startsWith('expired')),
    ).toEqual([]);
  });

  test('that is to be removed goes as soon as nothing of it is under way', () => {
    const isHere = ({ to }: Step) =>
      /^(published|failed\.(revocable|blocked|resting)|cancelled\.(revocable|blocked|resting))$/.test(to);
    expect(breaking(({ after }) => after.context.evictedBy === '', isHere)).toEqual([]);
  });

  test('that is kept is taken by nothing but a person', () => {
    const isKept = ({ before, event }: Step) =>
      before.context.keep &&
      // While it is being removed nobody may keep it: that is refused before it comes here.
      before.context.evictedBy === '' &&
      event.type !== 'DELETE' &&
      event.type !== 'MEDIA_GONE';
    expect(
      breaking(({ from, to }) => from.startsWith('expired') || !to.startsWith('expired'), isKept),
    ).toEqual([]);
  });

  test('never comes back into its window once it was published or removed', () => {
    const isDone = ({ from }: Step) => /^(published|expired)/.test(from);
    expect(breaking(({ to }) => /^(published|expired)/.test(to), isDone)).toEqual([]);
    const isOver = (step: Step) => atOf(step) >= closeAt(step.before.context);
    const isTimed = ({ event }: Step) => event.type === 'DEADLINE' || 'output' in event;
    const mayCapture = (step: Step) => !isEnded(step.from) && isTimed(step) && isOver(step);
    const isStale = ({ event, before }: Step) =>
      event.type === 'DEADLINE' && event.dueAt !== before.context.deadline?.at;
    expect(
      breaking(
        ({ to }) => isEnded(to) || to === 'spooling.closing',
        (step) => mayCapture(step) && !isStale(step),
      ),
    ).toEqual([]);
  });
});
