/** `Range` of RFC 9110, as far as one file needs it: one range of bytes. */

export type AskedRange =
  /** None asked, or in a unit that is not ours: the whole. */
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly from: number; /** Inclusive. */ readonly to: number }
  | { readonly kind: 'unsatisfiable' }
  | { readonly kind: 'malformed' };

/** `size` is what is there now. */
export function askedRange(header: string | undefined, size: number): AskedRange {
  if (header === undefined || !/^bytes\s*=/i.test(header)) return { kind: 'whole' };
  const match = /^bytes\s*=\s*(\d{0,15})\s*-\s*(\d{0,15})\s*$/i.exec(header);
  const [, first = '', last = ''] = match ?? [];
  if (!match || (first === '' && last === '')) return { kind: 'malformed' };
  if (first === '') {
    const count = Math.min(Number(last), size);
    return count === 0 ? { kind: 'unsatisfiable' } : { kind: 'part', from: size - count, to: size - 1 };
  }
  const from = Number(first);
  const to = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== '' && Number(last) < from) return { kind: 'malformed' };
  return from >= size ? { kind: 'unsatisfiable' } : { kind: 'part', from, to };
}
