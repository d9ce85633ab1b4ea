/**
 * Who gets a connection. A slot belongs to a feed, that is to one connection to one upstream. Higher priority first,
 * then the earlier start, then the id, so that the same wishes always end the same way. P6.
 */

import type { UpstreamRef } from './channel.js';

export interface Want {
  readonly id: string;
  /** Best first. */
  readonly candidates: readonly UpstreamRef[];
  readonly priority: number;
  readonly openAt: number;
  /** It has captured nothing yet, so a lack of disk space may keep it out. */
  readonly fresh: boolean;
  /** The reason it was last given for waiting, or null. */
  readonly told: string | null;
}

export interface Slot {
  readonly id: string;
  readonly upstream: UpstreamRef;
  readonly since: number;
}

/** What nothing new may start for (`disk_floor`, `state_unwritable`), or null. */
export type Admission = string | null;

export interface SlotTable {
  readonly slots: readonly Slot[];
  readonly queue: readonly Want[];
  /** Connections at once; 0 is no limit. */
  readonly slotsMax: number;
  readonly admission: Admission;
}

export interface Allotment {
  readonly table: Pick<SlotTable, 'slots' | 'queue'>;
  readonly granted: readonly Slot[];
  /** Only those whose reason is new to them. */
  readonly refused: readonly { readonly id: string; readonly reason: string }[];
}

/**
 * A wish replaces an earlier one of the same recording. Who wants another upstream gives its slot back first; so a wish
 * of one that holds a slot only crossed its grant on the way, and to take the slot for it would leave that connection
 * uncounted (P6).
 */
export function withWant(table: SlotTable, want: Omit<Want, 'told'>): Pick<SlotTable, 'slots' | 'queue'> {
  const { slots, queue } = table;
  if (slots.some((slot) => slot.id === want.id)) return { slots, queue };
  return { slots, queue: [...queue.filter(({ id }) => id !== want.id), { ...want, told: null }] };
}

export function without(
  table: Pick<SlotTable, 'slots' | 'queue'>,
  id: string,
): Pick<SlotTable, 'slots' | 'queue'> {
  return {
    slots: table.slots.filter((slot) => slot.id !== id),
    queue: table.queue.filter((want) => want.id !== id),
  };
}

export function allot(table: SlotTable, at: number): Allotment {
  const slots = [...table.slots];
  const queue: Want[] = [];
  const granted: Slot[] = [];
  const refused: { id: string; reason: string }[] = [];
  for (const want of [...table.queue].toSorted(byClaim)) {
    const upstream = want.candidates[0];
    const reason = refusal(table, want, slots.length);
    if (reason === null && upstream) {
      const slot = { id: want.id, upstream, since: at };
      slots.push(slot);
      granted.push(slot);
      continue;
    }
    const said = reason ?? 'no_upstream';
    if (want.told !== said) refused.push({ id: want.id, reason: said });
    queue.push({ ...want, told: said });
  }
  return { table: { slots, queue }, granted, refused };
}

function refusal(table: SlotTable, want: Want, used: number): string | null {
  if (want.candidates.length === 0) return 'no_upstream';
  if (want.fresh && table.admission !== null) return table.admission;
  if (table.slotsMax > 0 && used >= table.slotsMax) return 'slots_full';
  return null;
}

function byClaim(a: Want, b: Want): number {
  return b.priority - a.priority || a.openAt - b.openAt || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}
