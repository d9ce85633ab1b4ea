/** Small pure functions on words and times that several parts of the domain share. */

const encoder = new TextEncoder();

/** RFC 3339 in UTC with `Z`, whole seconds unless there are milliseconds. `at` is epoch milliseconds. */
export function rfc3339(at: number): string {
  return new Date(at).toISOString().replace('.000Z', 'Z');
}

/** `YYYYMMDDHHmm` in UTC, the minute stamp of a capsule id. */
export function minuteStamp(at: number): string {
  return new Date(at).toISOString().slice(0, 16).replace(/[-T:]/g, '');
}

export function utf8Bytes(text: string): number {
  return encoder.encode(text).length;
}

/** The longest beginning of `text` that fits in `bytesMax` bytes of UTF-8 and ends between two characters. */
export function cutUtf8(text: string, bytesMax: number): string {
  if (utf8Bytes(text) <= bytesMax) return text;
  let bytes = 0;
  let cut = '';
  for (const character of text) {
    bytes += utf8Bytes(character);
    if (bytes > bytesMax) break;
    cut += character;
  }
  return cut;
}

/** Order by UTF-16 code units: the same on every machine, whatever its locale. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
