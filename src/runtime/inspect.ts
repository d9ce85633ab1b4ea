/**
 * The one tap for whoever looks at the charts: what each is in and since when, and, only while somebody watches, every
 * event and every new state as it happens. A viewer that throws or is slow never touches a chart: XState would wedge
 * the actor for good, so everything that a viewer costs happens later, outside of the transition (P8).
 */

import type { AnyActorRef, InspectionEvent } from 'xstate';
import type { Clock } from '../io/clock.js';
import { statePath } from './entries.js';

export type MachineKind = 'scheduler' | 'recording' | 'guide' | 'library';

export interface Machine {
  readonly id: string;
  readonly kind: MachineKind;
  /** Dotted path. */
  readonly state: string;
  /** When it entered that state, as far as this run knows; epoch milliseconds. */
  readonly since: number;
}

/** What a viewer is told; a snapshot's context and an event are the charts' own and must not be changed. */
export type Sighting =
  | {
      readonly type: 'event';
      readonly at: number;
      readonly id: string;
      readonly kind: MachineKind;
      readonly event: { readonly type: string };
    }
  | {
      readonly type: 'state';
      readonly at: number;
      readonly id: string;
      readonly kind: MachineKind;
      readonly state: string;
      /** The state as the chart has it. */
      readonly value: unknown;
      readonly context: unknown;
    }
  | { readonly type: 'gone'; readonly at: number; readonly id: string; readonly kind: MachineKind };

export interface Inspector {
  /** Called by XState inside of transitions. Never throws. */
  tap(event: InspectionEvent): void;
  machines(): readonly Machine[];
  /** The contexts of what lives now, for a viewer that comes late. */
  contexts(): readonly (Machine & { readonly value: unknown; readonly context: unknown })[];
  /** Called with what happened since the last call, at most ten times a second; `missed` were let go. */
  watch(viewer: (seen: readonly Sighting[], missed: number) => void): () => void;
}

interface Seen {
  readonly kind: MachineKind;
  value: unknown;
  state: string;
  since: number;
  actor: AnyActorRef;
}

type Actor = AnyActorRef & { readonly src?: unknown };

const TELL_MS = 100;
/** A burst larger than this is cut: the states that follow still come. */
const WAITING_MAX = 2_000;

export function createInspector(clock: Clock, onViewerError: (error: unknown) => void): Inspector {
  const seen = new Map<string, Seen>();
  const viewers = new Set<(seen: readonly Sighting[], missed: number) => void>();
  let waiting: Sighting[] = [];
  let missed = 0;
  let due = false;

  function kindOf({ src, id }: Actor): MachineKind | null {
    if (src === 'recording' || src === 'guide' || src === 'library') return src;
    return id === 'scheduler' ? 'scheduler' : null;
  }

  function tell(sighting: Sighting): void {
    if (waiting.length >= WAITING_MAX) missed += 1;
    else waiting.push(sighting);
    if (due) return;
    due = true;
    clock.after(TELL_MS, hand);
  }

  function hand(): void {
    due = false;
    const batch = waiting;
    const lost = missed;
    waiting = [];
    missed = 0;
    for (const viewer of viewers) {
      try {
        viewer(batch, lost);
      } catch (error) {
        viewers.delete(viewer);
        onViewerError(error);
      }
    }
  }

  function look(event: InspectionEvent): void {
    const actor = event.actorRef as Actor;
    if (event.type === '@xstate.snapshot') {
      const kind = kindOf(actor);
      if (kind) note(actor, kind, event.snapshot);
    } else if (event.type === '@xstate.event' && viewers.size > 0) {
      const kind = kindOf(actor);
      if (kind) tell({ type: 'event', at: clock.now(), id: actor.id, kind, event: event.event });
    }
  }

  function note(
    actor: Actor,
    kind: MachineKind,
    snapshot: { readonly status: string; readonly value?: unknown; readonly context?: unknown },
  ): void {
    const { id } = actor;
    const known = seen.get(id);
    if (snapshot.status !== 'active') {
      if (known?.actor !== actor) return;
      seen.delete(id);
      if (viewers.size > 0) tell({ type: 'gone', at: clock.now(), id, kind });
      return;
    }
    if (!known || known.actor !== actor || known.value !== snapshot.value) {
      const state = statePath(snapshot.value);
      const since = known?.state === state ? known.since : clock.now();
      seen.set(id, { kind, value: snapshot.value, state, since, actor });
    }
    if (viewers.size === 0) return;
    const { state } = seen.get(id) ?? { state: '' };
    tell({
      type: 'state',
      at: clock.now(),
      id,
      kind,
      state,
      value: snapshot.value,
      context: snapshot.context,
    });
  }

  return {
    tap(event) {
      try {
        look(event);
      } catch (error) {
        onViewerError(error);
      }
    },
    machines: () => [...seen].map(([id, { kind, state, since }]) => ({ id, kind, state, since })),
    contexts: () =>
      [...seen].map(([id, { kind, value, state, since, actor }]) => ({
        value,
        id,
        kind,
        state,
        since,
        context: (actor.getSnapshot() as { context?: unknown }).context,
      })),
    watch(viewer) {
      viewers.add(viewer);
      return () => void viewers.delete(viewer);
    },
  };
}
