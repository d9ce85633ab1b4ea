/** `key="value" key=value …` of M3U lines, in all the forms the field writes (PROTOCOLS §4.1). */

export interface Attributes {
  /** Lower-case key → trimmed value; the first of repeated ones that says something. */
  readonly attributes: ReadonlyMap<string, string>;
  /** From the first comma that no quotes hold, or ''. */
  readonly after: string;
}

const KEY = /[^\s=,"]+(?==)/y;

export function attributesOf(text: string): ReadonlyMap<string, string> {
  return readAttributes(text, false).attributes;
}

/** With `toComma` a comma outside quotes ends the attributes; without it commas belong to unquoted values. */
export function readAttributes(text: string, toComma: boolean = true): Attributes {
  const attributes = new Map<string, string>();
  let at = 0;
  while (at < text.length) {
    if (toComma && text[at] === ',') return { attributes, after: text.slice(at) };
    KEY.lastIndex = at;
    const key = KEY.exec(text)?.[0];
    if (key === undefined) {
      at++;
      continue;
    }
    const value = valueAt(text, at + key.length + 1, toComma);
    const name = key.toLowerCase();
    if (!attributes.get(name)) attributes.set(name, value.text.trim());
    at = value.end;
  }
  return { attributes, after: '' };
}

function valueAt(text: string, start: number, toComma: boolean): { text: string; end: number } {
  const quote = text[start];
  if (quote === '"' || quote === "'") {
    const end = closingQuote(text, start + 1, quote);
    if (end >= 0) return { text: text.slice(start + 1, end), end: end + 1 };
    // Never closed: it ends where an unquoted one would.
    const open = unquotedEnd(text, start + 1, toComma);
    return { text: text.slice(start + 1, open), end: open };
  }
  const end = unquotedEnd(text, start, toComma);
  return { text: text.slice(start, end), end };
}

/** Quotes inside a value occur: the closing one stands before a blank, a comma, another attribute or the end. */
function closingQuote(text: string, from: number, quote: string): number {
  for (let at = text.indexOf(quote, from); at >= 0; at = text.indexOf(quote, at + 1)) {
    const next = text[at + 1];
    if (next === undefined || /[\s,]/.test(next) || /^[\w-]+=["']/.test(text.slice(at + 1, at + 40)))
      return at;
  }
  return -1;
}

function unquotedEnd(text: string, start: number, toComma: boolean): number {
  const found = text.slice(start).search(toComma ? /[\s,]/ : /\s/);
  return found < 0 ? text.length : start + found;
}
