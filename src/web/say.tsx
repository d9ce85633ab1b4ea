/** What a command came to, said once where everybody sees and hears it. */

import { createContext, type ComponentChildren } from 'preact';
import { useContext, useState } from 'preact/hooks';
import { ApiError } from './api.js';

interface Say {
  /** Does it and says so, or says why not. */
  run(done: string, task: () => Promise<unknown>): Promise<void>;
}

const Saying = createContext<Say>({ run: () => Promise.resolve() });
const SHOWN_MS = 6_000;

export function useSay(): Say {
  return useContext(Saying);
}

export function SayingArea({ children }: { readonly children: ComponentChildren }) {
  const [said, setSaid] = useState<{ text: string; bad: boolean; turn: number } | null>(null);
  const tell = (text: string, bad: boolean) => {
    const turn = Date.now();
    setSaid({ text, bad, turn });
    setTimeout(() => setSaid((old) => (old?.turn === turn ? null : old)), SHOWN_MS);
  };
  const say: Say = {
    async run(done, task) {
      try {
        await task();
        tell(done, false);
      } catch (error) {
        tell(error instanceof ApiError ? `${error.message} ${error.hint}` : 'It did not work.', true);
      }
    },
  };
  return (
    <Saying.Provider value={say}>
      {children}
      <div class="said" role="status" aria-live="polite">
        {said && <p class={said.bad ? 'bad' : ''}>{said.text}</p>}
      </div>
    </Saying.Provider>
  );
}
