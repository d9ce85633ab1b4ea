/** Names as people write them in options: exact or with `*` for any text, whatever the case. No pattern can be slow. */

export type TextTest = (text: string) => boolean;

/** One test for a list of patterns; null for an empty list. */
export function patternTest(list: readonly string[]): TextTest | null {
  const texts = cleaned(list);
  if (texts.length === 0) return null;
  const exact = new Set(texts.filter((pattern) => !pattern.includes('*')));
  const globs = texts.filter((pattern) => pattern.includes('*')).map(globTest);
  return (text) => {
    const lower = text.trim().toLowerCase();
    return lower !== '' && (exact.has(lower) || globs.some((matches) => matches(lower)));
  };
}

/** The same for running text: a pattern without `*` may stand anywhere in it. */
export function wordTest(list: readonly string[]): TextTest | null {
  return patternTest(cleaned(list).map((text) => (text.includes('*') ? text : `*${text}*`)));
}

function cleaned(list: readonly string[]): string[] {
  return list.map((pattern) => pattern.trim().toLowerCase()).filter((pattern) => pattern !== '');
}

/** `*` stands for any text. The parts are looked for one after the other. */
function globTest(pattern: string): TextTest {
  const parts = pattern.split('*');
  const first = parts[0] ?? '';
  const last = parts.at(-1) ?? '';
  const middle = parts.slice(1, -1);
  return (text) => {
    if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last))
      return false;
    const end = text.length - last.length;
    let from = first.length;
    for (const part of middle) {
      const found = text.indexOf(part, from);
      if (found < 0 || found + part.length > end) return false;
      from = found + part.length;
    }
    return true;
  };
}
