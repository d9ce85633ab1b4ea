/**
 * Mends XML text on its way to the parser (PROTOCOLS §3.3): a bare `&` would cost everything up to the next `;` and
 * with it whole programmes. Text with nothing to mend passes as it is; what a chunk leaves open is carried to the next.
 */

import { HTML_ENTITIES } from './htmlEntities.js';

export interface Repair {
  /** What can be said about `chunk` and all before it. */
  write(chunk: string): string;
  /** What was held back. */
  end(): string;
}

/** Characters that XML forbids, however they are written. */
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/;
const CONTROLS = new RegExp(CONTROL, 'g');

const REFERENCE = /&(?:#(\d{1,7}|[xX][0-9a-fA-F]{1,6})|([A-Za-z][A-Za-z0-9]{0,31}));/y;
/** The beginning of a reference that the next chunk may finish. */
const OPEN_REFERENCE = /^&(?:#[xX]?[0-9a-fA-F]{0,7}|[A-Za-z][A-Za-z0-9]{0,31})?$/;
const XML_NAMES = new Set(['amp', 'lt', 'gt', 'quot', 'apos']);

const CDATA = '<![CDATA[';
const COMMENT = '<!--';
type State = 'text' | 'cdata' | 'comment';

export function createRepair(): Repair {
  let state: State = 'text';
  let carry = '';

  /** Mends `text`; with `last` nothing is held back. */
  function mend(text: string, last: boolean): string {
    let out = '';
    let from = 0;
    let at = 0;
    let ampersand = -2;
    let bang = -2;
    const hold = (start: number) => {
      carry = text.slice(start);
      return out + text.slice(from, start);
    };
    for (;;) {
      if (state !== 'text') {
        const closing = state === 'cdata' ? ']]>' : '-->';
        const end = text.indexOf(closing, at);
        if (end < 0) return last ? hold(text.length) : hold(openEnd(text, at, closing));
        state = 'text';
        at = end + closing.length;
        continue;
      }
      if (ampersand !== -1 && ampersand < at) ampersand = text.indexOf('&', at);
      if (bang !== -1 && bang < at) bang = text.indexOf('<!', at);
      if (ampersand < 0 && bang < 0) return hold(!last && text.endsWith('<') ? text.length - 1 : text.length);
      if (bang >= 0 && (ampersand < 0 || bang < ampersand)) {
        if (text.startsWith(CDATA, bang)) {
          state = 'cdata';
          at = bang + CDATA.length;
        } else if (text.startsWith(COMMENT, bang)) {
          state = 'comment';
          at = bang + COMMENT.length;
        } else {
          const rest = text.slice(bang, bang + CDATA.length);
          if (!last && (CDATA.startsWith(rest) || COMMENT.startsWith(rest))) return hold(bang);
          at = bang + 2;
        }
        continue;
      }
      // Nearly all there are.
      if (text.startsWith('amp;', ampersand + 1)) {
        at = ampersand + 5;
        continue;
      }
      REFERENCE.lastIndex = ampersand;
      const found = REFERENCE.exec(text);
      if (found === null) {
        if (!last && text.length - ampersand <= 33 && OPEN_REFERENCE.test(text.slice(ampersand)))
          return hold(ampersand);
        out += `${text.slice(from, ampersand)}&amp;`;
        from = at = ampersand + 1;
        continue;
      }
      const kept = mendReference(found[0], found[1], found[2]);
      at = ampersand + found[0].length;
      if (kept === found[0]) continue;
      out += text.slice(from, ampersand) + kept;
      from = at;
    }
  }

  return {
    write(chunk) {
      const clean = CONTROL.test(chunk) ? chunk.replace(CONTROLS, '') : chunk;
      const text = carry === '' ? clean : carry + clean;
      carry = '';
      return mend(text, false);
    },
    end() {
      const text = carry;
      carry = '';
      return mend(text, true);
    },
  };
}

/** A whole reference as it may stay: forbidden characters go, unknown names become text. */
function mendReference(whole: string, number: string | undefined, name: string | undefined): string {
  if (name !== undefined) {
    return XML_NAMES.has(name) || Object.hasOwn(HTML_ENTITIES, name) ? whole : `&amp;${whole.slice(1)}`;
  }
  const digits = number ?? '';
  const code = /^x/i.test(digits) ? Number.parseInt(digits.slice(1), 16) : Number.parseInt(digits, 10);
  const forbidden =
    code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) || code === 0xfffe || code === 0xffff;
  if (forbidden || CONTROL.test(String.fromCodePoint(code))) return '';
  // The parser knows the small x only.
  return whole.replace('&#X', '&#x');
}

/** Where the end of `text` may be the beginning of `closing`. */
function openEnd(text: string, at: number, closing: string): number {
  for (let length = closing.length - 1; length > 0; length--) {
    const start = text.length - length;
    if (start >= at && text.endsWith(closing.slice(0, length))) return start;
  }
  return text.length;
}
