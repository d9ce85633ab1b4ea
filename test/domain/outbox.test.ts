import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  confirmation,
  DEBOUNCE_MS,
  nextRow,
  postponed,
  queued,
  rescan,
  rowOf,
  type FolderRow,
  type Owed,
  type OwedRow,
} from '../../src/domain/outbox.js';

const T0 = Date.UTC(2026, 10, 23, 19, 30);
const scan = (folder: string, change: 'created' | 'removed' = 'created'): Owed => ({
  kind: 'scan',
  change,
  lane: 'sports',
  laneKind: 'movies',
  folder,
  recordingId: '00000001',
});

function outbox() {
  const rows = new Map<string, OwedRow>();
  let seq = 0;
  return {
    rows,
    owe(owed: Owed, at: number, receiver = 'plex'): OwedRow {
      const row = queued(owed, receiver, at, (seq += 1), rows);
      rows.set(row.id, row);
      return row;
    },
  };
}

describe('the outbox', () => {
  it('makes one scan of many changes of a folder, the last of them, soon after it but not for ever later', () => {
    const box = outbox();
    for (let at = T0; at < T0 + 120_000; at += 1_000) box.owe(scan('/lib/a'), at);
    const last = box.owe(scan('/lib/a', 'removed'), T0 + 120_000);
    expect(box.rows.size).toBe(1);
    expect(last).toMatchObject({ change: 'removed', queuedAt: T0 });
    expect(last.dueAt).toBe(T0 + 30_000);
    expect(outbox().owe(scan('/lib/a'), T0).dueAt).toBe(T0 + DEBOUNCE_MS);
  });

  it('keeps servers and folders apart', () => {
    const box = outbox();
    box.owe(scan('/lib/a'), T0);
    box.owe(scan('/lib/b'), T0);
    box.owe(scan('/lib/a'), T0, 'emby');
    expect(box.rows.size).toBe(3);
  });

  it('keeps every message, and one wish for libraries', () => {
    const box = outbox();
    for (let n = 0; n < 3; n += 1) {
      box.owe({ kind: 'notice', event: 'published', facts: { n } }, T0, 'hook');
      box.owe({ kind: 'register' }, T0);
    }
    expect(box.rows.size).toBe(4);
  });

  it('gives rows of a receiver in the order in which they are due, and those of one moment as they came', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(5), { maxLength: 20 }), (dues) => {
        const box = outbox();
        for (const due of dues) box.owe({ kind: 'notice', event: 'failed', facts: due }, T0 + due, 'hook');
        const order: number[] = [];
        for (let row = nextRow(box.rows.values(), 'hook'); row; row = nextRow(box.rows.values(), 'hook')) {
          order.push(row.dueAt * 100 + row.seq);
          box.rows.delete(row.id);
        }
        expect(order).toEqual(order.toSorted((a, b) => a - b));
        expect(order).toHaveLength(dues.length);
        expect(nextRow(box.rows.values(), 'plex')).toBeNull();
      }),
    );
  });

  it('puts a row off longer each time, as long as the receiver asks for, and lets it go after two months', () => {
    let row: OwedRow | null = outbox().owe(scan('/lib/a'), T0);
    const waits: number[] = [];
    for (let n = 0; n < 9 && row; n += 1) {
      row = postponed(row, T0, 'library_conflict', null);
      waits.push(((row?.dueAt ?? 0) - T0) / 1_000);
    }
    expect(waits).toEqual([10, 20, 40, 80, 160, 320, 640, 900, 900]);
    expect(row && postponed(row, T0, 'x', 3_600_000)?.dueAt).toBe(T0 + 3_600_000);
    expect(row && postponed(row, T0 + 61 * 86_400_000, 'x', null)).toBeNull();
  });

  it('asks whether a scan was seen, and has it done again under the first name', () => {
    const row = outbox().owe(scan('/lib/a'), T0) as FolderRow;
    const asked = confirmation(row, T0, 60_000, 7);
    expect(asked).toMatchObject({ kind: 'confirm', dueAt: T0 + 60_000, scans: 1, seq: 7 });
    expect(asked.id).not.toBe(row.id);
    expect(rescan(asked, T0 + 60_000, 8)).toMatchObject({ id: row.id, kind: 'scan', scans: 1, tries: 0 });
  });

  it('knows its own rows after a round trip, and nothing else', () => {
    const box = outbox();
    box.owe(scan('/lib/a'), T0);
    box.owe({ kind: 'register' }, T0);
    box.owe({ kind: 'notice', event: 'failed', facts: {} }, T0);
    for (const row of box.rows.values()) expect(rowOf(JSON.parse(JSON.stringify(row)))).toEqual(row);
    fc.assert(fc.property(fc.jsonValue(), (value) => rowOf(value) === null));
  });
});
