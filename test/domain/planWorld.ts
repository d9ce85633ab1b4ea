/** A small world of guides for the laws of the plan: loads at random, and what the runtime does with decisions. */
import fc from 'fast-check';
import type { Capsule } from '../../src/domain/capsule.js';
import type { KnownRecording } from '../../src/domain/identity.js';
import type { Decision } from '../../src/domain/plan.js';
import type { Tombstone } from '../../src/domain/recording.js';
import { capsuleAt, DAY, HOUR, MINUTE } from './programmes.js';

export interface World {
  readonly known: readonly KnownRecording[];
  readonly tombstones: readonly Tombstone[];
}

/** What the runtime does with decisions. */
export function apply({ known, tombstones }: World, decisions: readonly Decision[]): World {
  const byId = new Map(known.map((one) => [one.id, one]));
  const graves = new Map(tombstones.map((one) => [one.id, one]));
  for (const { action, capsule, recordingId = '', addKey } of decisions) {
    const own = byId.get(recordingId);
    const grave = graves.get(recordingId);
    if (action === 'record') {
      const { recordKey, startAt, stopAt } = capsule;
      let id = recordKey;
      while (byId.has(id) || graves.has(id)) id += '+';
      byId.set(id, { id, keys: [recordKey], capsule, state: 'scheduled', startAt, stopAt });
    } else if (action === 'drop') byId.delete(recordingId);
    else if (own && (action === 'move' || action === 'extend')) {
      const keys = [...new Set([...own.keys, capsule.recordKey])];
      byId.set(recordingId, { ...own, keys, capsule, startAt: capsule.startAt, stopAt: capsule.stopAt });
    } else if (own && addKey) byId.set(recordingId, { ...own, keys: [...own.keys, capsule.recordKey] });
    else if (grave && addKey) graves.set(recordingId, { ...grave, keys: [...grave.keys, capsule.recordKey] });
  }
  return { known: [...byId.values()], tombstones: [...graves.values()] };
}

const slotOn = (channels: readonly [string, ...string[]]) =>
  fc.record({
    channel: fc.constantFrom(...channels),
    start: fc.integer({ min: -12, max: 36 }),
    length: fc.integer({ min: 1, max: 18 }),
    title: fc.constantFrom('News', 'Film', 'a vs b', 'Simpsons', 'a'),
    episode: fc.constantFrom('', '', 's1e1', 's1e2'),
  });
/** Starts and lengths in steps of five minutes around noon, at most one row a channel and start. */
export const loadOf = (...channels: readonly [string, ...string[]]) =>
  fc.array(slotOn(channels), { maxLength: 14 }).map((slots) => {
    const rows = new Map<string, Capsule>();
    for (const { channel, start, length, title, episode } of slots) {
      const startAt = DAY + 12 * HOUR + start * 5 * MINUTE;
      const row = capsuleAt(startAt, startAt + length * 5 * MINUTE, title, {
        dnaId: `dna-${channel}`,
        episode,
      });
      rows.set(`${channel} ${start}`, row);
    }
    return [...rows.values()].filter(({ stopAt }) => stopAt >= DAY + 12 * HOUR);
  });
