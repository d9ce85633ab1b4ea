/**
 * Pushes what the charts do to a Stately inspector's relay (`--inspect-ws`), in the very objects that it expects. It
 * comes late and may come back: every time it connects it is first told of every living chart. What it cannot take is
 * left out; no chart ever waits for it (P8). Secrets are taken out of everything.
 */

import type { AnyStateMachine } from 'xstate';
import { guideMachine } from '../../machines/guide.js';
import { libraryMachine } from '../../machines/library.js';
import { recordingMachine } from '../../machines/recording.js';
import { schedulerMachine } from '../../machines/scheduler.js';
import { redactText } from '../domain/redact.js';
import type { Clock, TimerHandle } from '../io/clock.js';
import { openRelaySocket, type RelaySocket } from '../io/relaySocket.js';
import type { Log } from '../log.js';
import type { Inspector, Machine, MachineKind, Sighting } from './inspect.js';

/** The version of the inspector whose objects these are. */
const WIRE_VERSION = '0.7.2';
const ROOT = 'scheduler';
const BACKOFF_MS = 1_000;
const BACKOFF_MS_MAX = 30_000;
const WAITING_BYTES_MAX = 4 * 2 ** 20;

const CHARTS: Readonly<Record<MachineKind, AnyStateMachine>> = {
  scheduler: schedulerMachine,
  recording: recordingMachine,
  guide: guideMachine,
  library: libraryMachine,
};

export function startInspectRelay(
  url: string,
  inspector: Inspector,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): { stop(): void } {
  const told = new Set<string>();
  let socket: RelaySocket | null = null;
  let timer: TimerHandle | null = null;
  let backoffMs = BACKOFF_MS;
  let connected = false;
  let stopped = false;
  let leave: () => void = () => undefined;

  function connect(): void {
    socket = openRelaySocket(url, greet, () => {
      leave();
      if (stopped) return;
      if (connected) log.warn('the inspector relay is gone; it is tried again');
      connected = false;
      timer = clock.after(backoffMs, connect);
      backoffMs = Math.min(BACKOFF_MS_MAX, backoffMs * 2);
    });
  }

  function greet(): void {
    connected = true;
    backoffMs = BACKOFF_MS;
    told.clear();
    log.info('the charts are shown to an inspector relay');
    for (const each of inspector.contexts()) {
      introduce(each, each);
      push(each.id, each.since, '@xstate.snapshot', {
        event: { type: 'xstate.init' },
        snapshot: snapshotOf(each),
      });
    }
    leave = inspector.watch((seen) => seen.forEach(tell));
  }

  function introduce({ id, kind }: Pick<Machine, 'id' | 'kind'>, now: Shown): void {
    if (told.has(id)) return;
    told.add(id);
    push(id, clock.now(), '@xstate.actor', {
      name: id,
      ...(id !== ROOT && { parentId: ROOT }),
      definition: JSON.stringify(CHARTS[kind].config),
      snapshot: snapshotOf(now),
    });
  }

  function tell(seen: Sighting): void {
    const { id, at } = seen;
    switch (seen.type) {
      case 'event':
        if (told.has(id)) push(id, at, '@xstate.event', { event: seen.event, sourceId: ROOT });
        return;
      case 'state':
        introduce(seen, seen);
        return push(id, at, '@xstate.snapshot', { event: { type: '' }, snapshot: snapshotOf(seen) });
      case 'gone':
        told.delete(id);
        return push(id, at, '@xstate.snapshot', {
          event: { type: 'xstate.stop' },
          snapshot: { status: 'stopped' },
        });
    }
  }

  function push(sessionId: string, at: number, type: string, fields: object): void {
    if (socket === null || socket.waiting() > WAITING_BYTES_MAX) return;
    const common = { type, sessionId, rootId: ROOT, id: null, createdAt: String(at), _version: WIRE_VERSION };
    socket.send(redactText(JSON.stringify({ ...common, ...fields })));
  }

  connect();
  return {
    stop() {
      stopped = true;
      timer?.cancel();
      leave();
      socket?.close();
    },
  };
}

interface Shown {
  readonly value: unknown;
  readonly context: unknown;
}

function snapshotOf({ value, context }: Shown): object {
  return { status: 'active', value, context, historyValue: {}, children: {} };
}
