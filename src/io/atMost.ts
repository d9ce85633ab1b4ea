/** A door through which so many go at once; the others wait in the order in which they came. */

/** Runs tasks, at most `count` at a time. What a task rejects with is its own. */
export function atMost(count: number): <T>(task: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;

  return async (task) => {
    // Whoever is let in keeps the place of the one that left.
    if (running >= count) await new Promise<void>((resolve) => void waiting.push(resolve));
    else running += 1;
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
