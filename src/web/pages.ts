/** Rows of a long list, fifty at a time, kept true while they are looked at. */

import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, ask } from './api.js';
import type { Span } from './virtual.js';
import { onNews } from './live.js';

const CHUNK = 50;
const EVERY_MS = 15_000;
/** Whoever scrolls past something does not want it. */
const REST_MS = 60;

export interface Pages<T> {
  readonly total: number | null;
  readonly error: ApiError | null;
  readonly row: (index: number) => T | undefined;
  readonly onSpan: (span: Span) => void;
  readonly reload: () => void;
}

/** `address` without limit and offset; `read` takes rows and their number out of an answer. */
export function usePages<T>(
  address: string,
  read: (answer: unknown) => { readonly rows: readonly T[]; readonly total: number },
  kinds: readonly string[],
): Pages<T> {
  const chunks = useRef(new Map<number, readonly T[]>());
  const wanted = useRef<readonly number[]>([0]);
  const [state, setState] = useState<{
    address: string;
    total: number | null;
    error: ApiError | null;
    turn: number;
  }>({
    address,
    total: null,
    error: null,
    turn: 0,
  });
  const current = useRef(address);
  const resting = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const on = kinds.join(' ');

  const load = (chunk: number) => {
    const asked = current.current;
    const join = asked.includes('?') ? '&' : '?';
    void ask<unknown>(`${asked}${join}limit=${CHUNK}&offset=${chunk * CHUNK}`).then(
      (answer) => {
        if (current.current !== asked) return;
        const { rows, total } = read(answer);
        chunks.current.set(chunk, rows);
        setState((old) => ({ address: asked, total, error: null, turn: old.turn + 1 }));
      },
      (error: unknown) => {
        if (current.current !== asked || !(error instanceof ApiError)) return;
        setState((old) => ({ ...old, address: asked, error }));
      },
    );
  };
  const reload = () => {
    for (const chunk of chunks.current.keys())
      if (!wanted.current.includes(chunk)) chunks.current.delete(chunk);
    wanted.current.forEach(load);
  };

  useEffect(() => {
    current.current = address;
    chunks.current.clear();
    wanted.current = [0];
    load(0);
    let soon: ReturnType<typeof setTimeout> | undefined;
    const stop = onNews((kind) => {
      if (kind !== 'reset' && !on.split(' ').includes(kind)) return;
      soon ??= setTimeout(() => {
        soon = undefined;
        reload();
      }, 500);
    });
    const timer = setInterval(() => {
      if (!document.hidden) reload();
    }, EVERY_MS);
    return () => {
      stop();
      clearInterval(timer);
      clearTimeout(soon);
      clearTimeout(resting.current);
    };
  }, [address, on]);

  const fits = state.address === address;
  return {
    total: fits ? state.total : null,
    error: fits ? state.error : null,
    row: (index) => (fits ? chunks.current.get(Math.floor(index / CHUNK))?.[index % CHUNK] : undefined),
    onSpan({ first, count }) {
      const from = Math.floor(first / CHUNK);
      const to = Math.floor((first + count) / CHUNK);
      wanted.current = Array.from({ length: to - from + 1 }, (_, index) => from + index);
      clearTimeout(resting.current);
      resting.current = setTimeout(() => {
        if (state.total === null || current.current !== address) return;
        for (const chunk of wanted.current) if (!chunks.current.has(chunk)) load(chunk);
      }, REST_MS);
    },
    reload,
  };
}
