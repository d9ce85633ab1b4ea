/** Answers that stay true: asked again when the daemon says that something changed, and now and then all the same. */

import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, ask, withToken } from './api.js';

export type NewsKind = 'recording' | 'plan' | 'source' | 'upstreams' | 'reset';

const listeners = new Set<(kind: NewsKind) => void>();
let connected = false;

/** One event source for the whole page; browsers allow few connections. */
export function listen(): void {
  if (connected) return;
  connected = true;
  openEvents('api/events', (source) => {
    for (const kind of ['recording', 'plan', 'source', 'upstreams', 'reset'] as const)
      source.addEventListener(kind, () => {
        for (const listener of listeners) listener(kind);
      });
  });
}

const AGAIN_MS = 3_000;

/**
 * Events of this address for as long as they are wanted. A browser comes back to a line that breaks, but gives up for
 * good on one that is answered with an error, as a proxy does while the recorder starts.
 */
export function openEvents(path: string, attach: (source: EventSource) => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let source = opened();
  function opened(): EventSource {
    const made = new EventSource(withToken(path));
    attach(made);
    made.addEventListener('error', () => {
      if (made.readyState !== EventSource.CLOSED) return;
      timer = setTimeout(() => {
        source = opened();
      }, AGAIN_MS);
    });
    return made;
  }
  return () => {
    clearTimeout(timer);
    source.close();
  };
}

export function onNews(listener: (kind: NewsKind) => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

export interface Live<T> {
  readonly data: T | null;
  readonly error: ApiError | null;
  readonly reload: () => void;
}

const SOON_MS = 300;

/** `path` null asks nothing. Old data stays while it is asked again or an answer fails. */
export function useLive<T>(path: string | null, on: readonly NewsKind[], everyMs = 15_000): Live<T> {
  const [state, setState] = useState<{ path: string | null; data: T | null; error: ApiError | null }>({
    path: null,
    data: null,
    error: null,
  });
  const reload = useRef<() => void>(() => undefined);
  const kinds = on.join(' ');

  useEffect(() => {
    if (path === null) return undefined;
    let left = false;
    let asking = false;
    let again = false;
    let soon: ReturnType<typeof setTimeout> | undefined;
    const load = () => {
      if (asking) {
        again = true;
        return;
      }
      asking = true;
      ask<T>(path)
        .then(
          (data) => !left && setState({ path, data, error: null }),
          (error: unknown) =>
            !left &&
            setState((old) => ({
              path,
              data: old.path === path ? old.data : null,
              error: error instanceof ApiError ? error : new ApiError('bug', String(error), ''),
            })),
        )
        .finally(() => {
          asking = false;
          if (!again || left) return;
          again = false;
          later();
        });
    };
    const later = () => {
      soon ??= setTimeout(() => {
        soon = undefined;
        load();
      }, SOON_MS);
    };
    const hear = (kind: NewsKind) => {
      if (kind === 'reset' || kinds.split(' ').includes(kind)) later();
    };
    reload.current = load;
    const deaf = onNews(hear);
    const timer = setInterval(() => {
      if (!document.hidden) load();
    }, everyMs);
    load();
    return () => {
      left = true;
      deaf();
      clearInterval(timer);
      clearTimeout(soon);
    };
  }, [path, kinds, everyMs]);

  const fits = state.path === path;
  return { data: fits ? state.data : null, error: fits ? state.error : null, reload: () => reload.current() };
}

/** The time, for progress that moves. */
export function useNow(everyMs = 1000): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
