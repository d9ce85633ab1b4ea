/** "Did you mean …?": the known word that is nearest to a mistyped one. */

/** The nearest of `known`, where it is near enough to be meant: a third of its letters wrong, or a beginning of it. */
export function nearest(typed: string, known: Iterable<string>): string | null {
  const word = typed.toLowerCase();
  let best: string | null = null;
  let bestDistance = Infinity;
  for (const candidate of known) {
    const distance =
      candidate.startsWith(word) && word.length >= 3 ? 0.5 : editDistance(word, candidate.toLowerCase());
    const reach = Math.max(1, Math.floor(Math.max(word.length, candidate.length) / 3));
    if (distance <= reach && distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** `; did you mean "x"?`, or nothing. */
export function suggestion(typed: string, known: Iterable<string>, prefix = ''): string {
  const word = nearest(typed, known);
  return word === null ? '' : `; did you mean ${prefix}${word}?`;
}

/** Insertions, deletions, replacements and swaps of neighbours that turn one into the other. */
export function editDistance(from: string, to: string): number {
  let older: number[] = [];
  let above = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const line = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const same = from[row - 1] === to[column - 1];
      let cost = Math.min(
        (above[column] ?? 0) + 1,
        (line[column - 1] ?? 0) + 1,
        (above[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped =
        row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (swapped) cost = Math.min(cost, (older[column - 2] ?? 0) + 1);
      line.push(cost);
    }
    older = above;
    above = line;
  }
  return above[to.length] ?? 0;
}
