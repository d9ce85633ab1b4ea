/** Plain columns for a person. */

import { stripVTControlCharacters } from 'node:util';

/** One line a row, columns as wide as their widest cell; ends with a newline. Control characters are left out. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  // A guide may hold anything; a terminal must not act on it.
  const clean = rows.map((row) => row.map((cell) => stripVTControlCharacters(cell).replace(/\p{Cc}/gu, ' ')));
  const widths = head.map((name, column) =>
    Math.max(name.length, ...clean.map((row) => [...(row[column] ?? '')].length)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - [...cell].length)))
      .join('  ')
      .trimEnd();
  return `${[head.map((name) => name.toUpperCase()), ...clean].map(line).join('\n')}\n`;
}

/** `Mon 23 Nov 19:30` in the zone of this machine. */
export function localTime(at: number): string {
  const parts = new Intl.DateTimeFormat('en-GB', {
    weekday: 'short',
    day: '2-digit',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hour12: false,
  }).formatToParts(new Date(at));
  const part = (type: string) => parts.find((each) => each.type === type)?.value ?? '';
  return `${part('weekday')} ${part('day')} ${part('month')} ${part('hour')}:${part('minute')}`;
}
