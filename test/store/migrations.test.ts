import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { RecordingDocument } from '../../src/domain/recording.js';
import { statePath } from '../../src/runtime/entries.js';
import { folded, verify } from '../../src/runtime/recover.js';
import { encodeLine } from '../../src/store/journalLine.js';
import { RECORDING_VERSION } from '../../src/store/migrations.js';
import { JOURNAL, storeBench } from './storeBench.js';

/** Written by the program before its charts knew archives. */
const OLD = JSON.parse(
  readFileSync(new URL('fixtures/recordingsOfVersion1.json', import.meta.url), 'utf8'),
) as readonly RecordingDocument[];

async function opened() {
  const bench = storeBench();
  await (await bench.open()).close();
  const file = await bench.disk.open(JOURNAL, 'append');
  const recordings = Object.fromEntries(OLD.map((document) => [document.id, document]));
  await file.write([encodeLine(1, JSON.stringify({ recordings }))]);
  await file.close();
  return { bench, store: await bench.open() };
}

describe('recordings that version 1 stored', () => {
  it('are of today when they are read, and written so when they change', async () => {
    const { bench, store } = await opened();
    expect(OLD.map(({ v }) => v)).toEqual(OLD.map(() => 1));
    const all = [...store.recordings().values()];
    expect(all.map(({ id, v }) => [id, v])).toEqual(OLD.map(({ id }) => [id, RECORDING_VERSION]));
    const [first] = all;
    if (first) store.put({ ...first, rev: first.rev + 1 });
    await store.close();
    const journal = bench.disk.files().get(JOURNAL)?.toString() ?? '';
    expect(journal.trimEnd().split('\n').at(-1)).toContain(`"v":${RECORDING_VERSION}`);
  });

  it.each([
    ['scheduled.early', 'scheduled.early'],
    ['spooling.open', 'retrying.awaitingSlot'],
    ['finalizing.blocked', 'finalizing.working'],
    ['published', 'published'],
  ])('and were %s go on as %s', async (was, is) => {
    const { store } = await opened();
    const document = [...store.recordings().values()].find(
      ({ snapshot }) => statePath((snapshot as { value: unknown }).value) === was,
    );
    const { snapshot, updatedAt: downFrom = 0 } = document ?? {};
    verify(snapshot);
    const after = folded(snapshot, {
      type: 'RESTARTED',
      at: downFrom + 10_000,
      downFrom,
      reason: 'daemon_restart',
      spool: null,
      patience: { backoffMs: 250, backoffMsMax: 30_000, attemptsMax: 0, fallback: true },
    });
    expect(statePath((after as unknown as { value: unknown }).value)).toBe(is);
  });
});
