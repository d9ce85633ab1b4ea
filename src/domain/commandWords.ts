/**
 * A command line cut into its words as a shell would, and nothing else of a shell: blanks, quotation marks and
 * backslashes mean what they mean there, everything else stays as it is.
 */

/** Null where a quotation mark has no end. Without a word there is no command: null as well. */
export function splitWords(line: string): readonly string[] | null {
  const words: string[] = [];
  let word: string | null = null;
  let quote: '"' | "'" | null = null;
  for (let index = 0; index < line.length; index += 1) {
    const letter = line.charAt(index);
    if (quote === null && /\s/.test(letter)) {
      if (word !== null) words.push(word);
      word = null;
    } else if (quote === null && (letter === '"' || letter === "'")) {
      quote = letter;
      word ??= '';
    } else if (letter === quote) {
      quote = null;
    } else if (letter === '\\' && quote !== "'" && index + 1 < line.length) {
      index += 1;
      const next = line.charAt(index);
      // Inside double quotes a backslash only frees what would mean something there.
      word = (word ?? '') + (quote === '"' && next !== '"' && next !== '\\' ? `\\${next}` : next);
    } else {
      word = (word ?? '') + letter;
    }
  }
  if (quote !== null) return null;
  if (word !== null) words.push(word);
  return words.length === 0 ? null : words;
}
