/** What `run` shows of itself on a terminal: a line for each recording under way, and one for what comes. */

import { stripVTControlCharacters } from 'node:util';
import type { Entry } from '../runtime/entries.js';

const RUNNING: Readonly<Record<string, string>> = {
  spooling: '●',
  retrying: '↻',
  failover: '⇄',
  finalizing: '✓',
};
const BAR = 12;
const ROWS_MAX = 12;
const TITLE_MIN = 12;

export interface ProgressInput {
  readonly entries: Iterable<Entry>;
  readonly now: number;
  /** Of the terminal; no line is longer, so that none is broken. */
  readonly columns: number;
  /** Where the dashboard is, or null. */
  readonly address: string | null;
}

export function progressLines({ entries, now, columns, address }: ProgressInput): string[] {
  const running: Entry[] = [];
  let next: Entry | null = null;
  let planned = 0;
  let waiting = 0;
  for (const entry of entries) {
    const state = stateOf(entry);
    if (state in RUNNING) running.push(entry);
    if (state !== 'scheduled') continue;
    planned += 1;
    if (entry.path === 'scheduled.queued') waiting += 1;
    if (!next || entry.recording.window.startAt < next.recording.window.startAt) next = entry;
  }
  running.sort((a, b) => a.recording.window.stopAt - b.recording.window.stopAt || (a.id < b.id ? -1 : 1));
  const rows = running.slice(0, ROWS_MAX).map((entry) => row(entry, now, columns));
  if (running.length > rows.length) rows.push(`  and ${running.length - rows.length} more`);
  const coming = next
    ? `, next ${clean(next.recording.capsule.title)} at ${clock(next.recording.window.startAt)}`
    : '';
  const summary = `${running.length} recording, ${planned} planned${waiting > 0 ? `, ${waiting} waiting` : ''}${coming}`;
  return ['', ...rows, cut(address === null ? summary : `${summary}  ${address}`, columns)];
}

function row(entry: Entry, now: number, columns: number): string {
  const { recording } = entry;
  const { startAt, stopAt } = recording.window;
  const share = Math.min(1, Math.max(0, (now - startAt) / Math.max(1, stopAt - startAt)));
  const full = Math.round(share * BAR);
  const facts = [
    `${'█'.repeat(full)}${'░'.repeat(BAR - full)} ${String(Math.round(share * 100)).padStart(3)} %`,
    size(recording.bytes).padStart(7),
    rate(entry, now).padStart(10),
    note(entry, now),
  ].join('  ');
  const room = Math.max(TITLE_MIN, columns - facts.length - 5);
  const name = cut(clean(`${recording.capsule.title} · ${recording.capsule.channelName}`), room);
  return cut(`${RUNNING[stateOf(entry)] ?? ' '} ${name.padEnd(room)}  ${facts}`, columns);
}

function stateOf({ path }: Entry): string {
  return path.split('.')[0] ?? '';
}

function note({ recording, path }: Entry, now: number): string {
  if (path.startsWith('finalizing')) return 'finishing';
  if (recording.waiting !== null) return recording.waiting.replaceAll('_', ' ');
  if (!path.startsWith('spooling')) return (recording.lastFault?.cause ?? 'again').replaceAll('_', ' ');
  const leftMin = Math.max(0, Math.ceil((recording.window.stopAt - now) / 60_000));
  return `${leftMin} min left`;
}

function rate({ recording }: Entry, now: number): string {
  const piece = recording.stretches.at(-1);
  if (!piece || piece.toAt <= piece.fromAt || now - piece.toAt > 30_000) return '';
  return `${((piece.bytes * 8) / 1000 / (piece.toAt - piece.fromAt)).toFixed(1)} Mbit/s`;
}

function size(bytes: number): string {
  if (bytes < 1e6) return `${Math.round(bytes / 1e3)} kB`;
  return bytes < 1e9 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

function clock(at: number): string {
  return new Date(at).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
}

/** A guide may hold anything; a terminal must not act on it. */
function clean(text: string): string {
  return stripVTControlCharacters(text).replace(/\p{C}/gu, ' ');
}

function cut(text: string, columns: number): string {
  const letters = [...text];
  return letters.length <= columns ? text : `${letters.slice(0, Math.max(0, columns - 1)).join('')}…`;
}
