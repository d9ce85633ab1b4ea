/**
 * Keeps from the parser the rows that nobody wants. A guide reaches days further than a plan does, and finding the end
 * of a row costs a small part of reading it. What is passed over has to be plain; of anything else the parser decides.
 */

export type Attributes = Readonly<Record<string, string>>;

export interface SieveDoors {
  /** To the parser; whether what it read last was the end of a row. */
  readonly read: (text: string) => boolean;
  /**
   * Asked once of each row that might be passed over, in their order: whether it is wanted. The parser comes to its
   * tag next if it is, and never if it is not.
   */
  readonly wanted: (attributes: Attributes) => boolean;
}

export interface Sieve {
  write(text: string): void;
  end(): void;
}

const ROW = '<programme';
const ROW_END = '</programme>';
/** No row is longer that was ever closed. */
const ROW_MAX = 2 ** 18;
/** Values without references or control characters, which would have to be resolved or mended. */
// oxlint-disable-next-line no-control-regex
const TAG = /<programme((?:\s+[\w:.-]+="[^"<&\0-\x1f]*")+)\s*>/y;
/** With which what is no element begins: there `</programme>` may be text. */
const ODD = ['<!', '<?'];
const SOLID = /\S/g;

export function createSieve({ read, wanted }: SieveDoors): Sieve {
  let carry = '';
  /** Whether the parser stands behind the end of a row: only there is a row what it looks like. */
  let between = false;

  /** The end of what was dealt with in `text`; the rest has to wait for more. */
  function sift(text: string): number {
    let at = 0;
    const odd = ODD.map((word) => nextIn(text, word));
    const row = nextIn(text, ROW);
    for (;;) {
      if (between) at = solidFrom(text, at);
      const start = row(at);
      if (start !== at && at < text.length) {
        // Something else: up to the next row it is the parser's.
        const to = Math.min(start, text.length - openRow(text));
        if (to > at) between = read(text.slice(at, to));
        if (start > to) return to;
        at = start;
        continue;
      }
      const end = start === at ? text.indexOf(ROW_END, start) : -1;
      if (end < 0) return at;
      const next = end + ROW_END.length;
      // In a row that was left open the next one begins.
      const isPlain = row(start + ROW.length) > end && odd.every((from) => from(start) > end);
      if (!between || !isPlain || !isPassedOver(text, start)) between = read(text.slice(start, next));
      at = next;
    }
  }

  function isPassedOver(text: string, start: number): boolean {
    TAG.lastIndex = start;
    const tag = TAG.exec(text);
    return tag !== null && !wanted(attributesOf(tag[1] ?? ''));
  }

  return {
    write(text) {
      const all = carry + text;
      carry = all.slice(sift(all));
      if (carry.length <= ROW_MAX) return;
      between = read(carry);
      carry = '';
    },
    end() {
      read(carry);
      carry = '';
    },
  };
}

/** Of text that TAG has found to be attributes. */
function attributesOf(text: string): Attributes {
  const attributes: Record<string, string> = {};
  let at = 0;
  for (let equals = text.indexOf('="'); equals >= 0; equals = text.indexOf('="', at)) {
    const end = text.indexOf('"', equals + 2);
    attributes[text.slice(at, equals).trim()] ??= text.slice(equals + 2, end);
    at = end + 1;
  }
  return attributes;
}

/** Where `word` comes next in `text` from a place on, which only ever goes forward; Infinity where it does not. */
function nextIn(text: string, word: string): (from: number) => number {
  let found = -1;
  return (from) => {
    if (found >= from) return found;
    const next = text.indexOf(word, from);
    return (found = next < 0 ? Infinity : next);
  };
}

/** Where there is something that is no space; the end where there is nothing. */
function solidFrom(text: string, at: number): number {
  SOLID.lastIndex = at;
  return SOLID.test(text) ? SOLID.lastIndex - 1 : text.length;
}

/** How much of the end of `text` may be the beginning of a row. */
function openRow(text: string): number {
  for (let length = Math.min(ROW.length - 1, text.length); length > 0; length -= 1)
    if (text.endsWith(ROW.slice(0, length))) return length;
  return 0;
}
