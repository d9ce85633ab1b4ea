/** The body of a session: what is put in comes out in order, and only while the listener wants it. */
import type { BodySink, TransportBody } from '../io/transport.js';

export interface Outlet {
  readonly body: TransportBody;
  /** True: all of it is out, and nothing of it is needed here any more. */
  put(chunks: readonly Buffer[]): boolean;
  /** Nothing follows. */
  end(): void;
  /** Nothing more is wanted for now. */
  isPaused(): boolean;
  /** Resolves when all that was put in is out, and more is wanted. */
  ready(): Promise<void>;
}

export function hlsOutlet(onDestroy: () => void): Outlet {
  let sink: BodySink | null = null;
  let paused = true;
  let handing = false;
  let ended = false;
  let gone = false;
  const held: Buffer[] = [];
  let waiting: (() => void)[] = [];

  function hand(): void {
    if (handing) return;
    handing = true;
    while (!paused && sink) {
      const chunk = held.shift();
      if (chunk === undefined) break;
      sink.onData(chunk);
    }
    handing = false;
    if (paused && !gone) return;
    const ready = waiting;
    waiting = [];
    for (const go of ready) go();
    if (!ended || held.length > 0 || paused) return;
    const to = sink;
    sink = null;
    to?.onEnd();
  }

  return {
    body: {
      flow(to) {
        sink = to;
        paused = false;
        queueMicrotask(hand);
      },
      pause() {
        paused = true;
      },
      resume() {
        paused = false;
        hand();
      },
      destroy() {
        gone = true;
        sink = null;
        held.length = 0;
        onDestroy();
        hand();
      },
    },
    put(chunks) {
      if (gone) return true;
      held.push(...chunks);
      hand();
      return held.length === 0;
    },
    end() {
      ended = true;
      hand();
    },
    isPaused: () => paused && !gone,
    ready: () => (!paused || gone ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
  };
}
