import fc from 'fast-check';
import { expect, it } from 'vitest';

import { openHistory } from '../../src/store/history.js';
import { readHistory } from '../../src/store/historyFiles.js';
import type { HistoryEntry } from '../../src/store/historyLine.js';
import type { StoreLog } from '../../src/store/journalAdapter.js';
import { memoryDisk } from '../sim/memoryDisk.js';
import { manualClock } from './manualClock.js';

const FOLDER = '/out/.catchupd/history';
const DAY_MS = 86_400_000;

function bench() {
  const clock = manualClock();
  const disk = memoryDisk();
  const said: string[] = [];
  const facts: { readonly quarantine?: string }[] = [];
  const note = (about: object, message: string) => {
    facts.push(about);
    said.push(message);
  };
  const log: StoreLog = { info: note, warn: note, error: note };
  const entry = (id: string, rev: number, at = clock.now()): HistoryEntry => ({
    at,
    id,
    rev,
    chart: '1',
    type: 'event',
    event: { type: 'DEADLINE', at },
  });
  return { clock, disk, facts, said, entry, open: () => openHistory({ disk, clock, log }, FOLDER) };
}

it('tells the story of one recording in order, over days and restarts', async () => {
  const { clock, disk, entry, open } = bench();
  const first = await open();
  first.append({
    at: clock.now(),
    id: 'a',
    rev: 0,
    chart: '1',
    type: 'baseline',
    snapshot: { value: 'scheduled' },
  });
  first.append(entry('b', 1));
  first.append(entry('a', 1));
  first.append(entry('a', 2, clock.now() + DAY_MS));
  await first.close();
  const second = await open();
  second.append(entry('a', 3, clock.now() + DAY_MS));
  await second.write();
  expect(await disk.readdir(FOLDER)).toEqual(['2026-11-23.ndjson', '2026-11-24.ndjson']);
  const { entries: story } = await readHistory(disk, FOLDER, 'a');
  expect(story.map(({ seq, rev, type }) => [seq, rev, type])).toEqual([
    [1, 0, 'baseline'],
    [3, 1, 'event'],
    [4, 2, 'event'],
    [5, 3, 'event'],
  ]);
  expect((await readHistory(disk, FOLDER)).entries.length).toBe(5);
});

it('goes on after a line that a crash cut short', async () => {
  const { disk, entry, open } = bench();
  const first = await open();
  first.append(entry('a', 1));
  await first.close();
  const file = await disk.open(`${FOLDER}/2026-11-23.ndjson`, 'append');
  await file.write([Buffer.from('{"seq":2,"at":1')]);
  const second = await open();
  second.append(entry('a', 2));
  await second.write();
  expect((await readHistory(disk, FOLDER, 'a')).entries.map((entry) => entry.rev)).toEqual([1, 2]);
});

it('keeps entries while the disk refuses and repeats none of them to a reader', async () => {
  const { disk, entry, open } = bench();
  const history = await open();
  disk.fault = (operation) => (operation === 'datasync' || operation === 'write' ? 'ENOSPC' : null);
  history.append(entry('a', 1));
  await history.write();
  disk.fault = () => null;
  history.append(entry('a', 2));
  await history.write();
  expect((await readHistory(disk, FOLDER)).entries.map((entry) => entry.rev)).toEqual([1, 2]);
});

it('lets entries go rather than memory when the disk refuses for long, and says how many', async () => {
  const { disk, said, entry, open } = bench();
  const history = await open();
  disk.fault = (operation) => (operation === 'open' ? 'EIO' : null);
  for (let rev = 0; rev < 20_100; rev += 1) history.append(entry('a', rev));
  await history.write();
  expect(said).toEqual(['the history cannot be written', 'history entries were let go']);
  disk.fault = () => null;
  await history.write();
  expect((await readHistory(disk, FOLDER)).entries.length).toBe(20_000);
});

it('clears earlier days of what nobody lives to tell, and touches nothing else', async () => {
  const { clock, disk, entry, open } = bench();
  const history = await open();
  for (let day = 0; day < 3; day += 1) {
    for (let rev = 0; rev < 9; rev += 1) history.append(entry('dead', rev, clock.now() + day * DAY_MS));
    if (day > 0) history.append(entry('a', day, clock.now() + day * DAY_MS));
  }
  await history.write();
  await (await disk.open(`${FOLDER}/2026-01-01-mine.txt`, 'create')).close();
  await clock.advance(2 * DAY_MS);
  const cleared = history.tidy((id) => id === 'a');
  await clock.advance(1000);
  await cleared;
  expect(await disk.readdir(FOLDER)).toEqual([
    '2026-01-01-mine.txt',
    '2026-11-24.ndjson',
    '2026-11-25.ndjson',
  ]);
  const { entries, damage } = await readHistory(disk, FOLDER);
  expect(damage).toEqual([]);
  expect(entries.filter(({ id }) => id === 'a').map(({ rev }) => rev)).toEqual([1, 2]);
  // Today's file is still written to.
  expect(entries.filter(({ id }) => id === 'dead')).toHaveLength(9);
});

it('starts over whatever lies in its folder, counts on, and says what cannot be read', async () => {
  const { clock, disk, said, entry, open } = bench();
  const first = await open();
  first.append(entry('a', 1));
  first.append(entry('a', 2));
  await first.close();
  await disk.mkdir(`${FOLDER}/2026-11-22.ndjson`);
  disk.corrupt(`${FOLDER}/2026-11-23.ndjson`, 30, 0x21);
  const second = await open();
  second.append(entry('a', 3));
  await second.close();
  const { entries, damage } = await readHistory(disk, FOLDER);
  expect(entries.map(({ rev }) => rev)).toEqual([2, 3]);
  expect(damage.map(({ path, what }) => `${path}: ${what}`)).toEqual([
    `${FOLDER}/2026-11-22.ndjson: it cannot be read (EISDIR)`,
    `${FOLDER}/2026-11-23.ndjson: 1 damaged line`,
  ]);
  expect(said).toEqual([]);
  await disk.unlink(`${FOLDER}/2026-11-23.ndjson`);
  await disk.mkdir(`${FOLDER}/2026-11-23.ndjson`);
  const third = await open();
  third.append(entry('a', 4));
  await third.write();
  await third.write();
  await clock.advance(DAY_MS);
  third.append(entry('a', 5));
  await third.close();
  expect(said).toEqual(['the history cannot be written']);
});

it('puts a day that is damaged aside as it was, keeps what is whole of it, and says so once', async () => {
  const { clock, disk, facts, said, entry, open } = bench();
  const first = await open();
  for (let rev = 1; rev <= 4; rev += 1) first.append(entry('a', rev));
  first.append(entry('a', 5, clock.now() + DAY_MS));
  await first.close();
  const [old, today] = ['2026-11-23', '2026-11-24'].map((day) => `${FOLDER}/${day}.ndjson`) as [
    string,
    string,
  ];
  const lines = disk.files().get(old)?.toString().split('\n') ?? [];
  // The number in the second line, and the line break behind the third.
  disk.corrupt(old, (lines[0]?.length ?? 0) + 9, 0x2a);
  disk.corrupt(old, lines.slice(0, 3).join('\n').length, 0x20);
  disk.corrupt(today, 30, 0x21);
  const hit = disk.files().get(old);
  await clock.advance(DAY_MS);
  const second = await open();
  for (const _ of [1, 2]) {
    const looked = second.tidy(() => true);
    await clock.advance(1000);
    await looked;
  }
  const { entries, damage, aside } = await readHistory(disk, FOLDER);
  expect(entries.map(({ rev }) => rev)).toEqual([1, 3, 4]);
  expect(damage.map(({ path }) => path)).toEqual([today]);
  expect(aside).toBe(2);
  const [where] = facts.flatMap(({ quarantine }) => quarantine ?? []);
  expect(where).toMatch(/^\/out\/\.catchupd\/quarantine\/.*-2026-11-23\.ndjson$/);
  expect(disk.files().get(where ?? '')).toEqual(hit);
  expect(said).toEqual(Array(2).fill('lines of the history are damaged: stories lack what they told'));
});

it('takes a line out that a crash cut short, because what it told of is in no state', async () => {
  const { disk, said, entry, open } = bench();
  const first = await open();
  first.append(entry('a', 1));
  await first.close();
  const path = `${FOLDER}/2026-11-23.ndjson`;
  const whole = disk.files().get(path)?.length ?? 0;
  for (const cut of ['{', '{"seq":2', '{"seq":2,"at":1,"id":"a","text":"']) {
    const file = await disk.open(path, 'append');
    await file.truncate(whole);
    await file.write([Buffer.from(cut)]);
    await file.close();
    expect((await readHistory(disk, FOLDER)).damage).toEqual([]);
    const next = await open();
    next.append(entry('a', 2));
    await next.close();
    const { entries, damage } = await readHistory(disk, FOLDER);
    expect([entries.map(({ rev }) => rev), damage]).toEqual([[1, 2], []]);
  }
  expect(said).toEqual([]);
});

it('loses by any one changed byte or any cut only the lines that it hits, and says so', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom('a', 'b'), fc.string()), { minLength: 1, maxLength: 12 }),
      fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
      fc.integer({ min: 1, max: 255 }),
      fc.boolean(),
      async (lines, where, flip, cut) => {
        const { clock, disk, entry, open } = bench();
        const history = await open();
        for (const [index, [id, text]] of lines.entries())
          history.append({ ...entry(id, index), event: { type: 'X', text } });
        await history.close();
        const path = `${FOLDER}/2026-11-23.ndjson`;
        const bytes = disk.files().get(path) ?? Buffer.alloc(0);
        const at = Math.floor(bytes.length * where);
        if (cut) {
          const file = await disk.open(path, 'append');
          await file.truncate(at);
          await file.close();
        } else disk.corrupt(path, at, (bytes[at] ?? 0) ^ flip);
        const again = await open();
        again.append(entry('c', 99, clock.now()));
        await again.close();
        const { entries, damage } = await readHistory(disk, FOLDER);
        const whole = bytes.subarray(0, at).toString('latin1').split('\n').length - 1;
        const kept = entries.filter(({ id }) => id !== 'c');
        expect(entries.at(-1)).toMatchObject({ id: 'c', rev: 99 });
        if (cut)
          expect(kept.map(({ rev }) => rev)).toEqual(
            lines.slice(0, Math.max(whole, kept.length)).map((_, rev) => rev),
          );
        // A line break that rots away joins two lines.
        else expect(kept.length).toBeGreaterThanOrEqual(lines.length - 2);
        for (const { id, rev, event } of kept)
          expect([id, (event as { text: string }).text]).toEqual(lines[rev]);
        if (kept.length < lines.length && !cut) expect(damage.length).toBeGreaterThan(0);
      },
    ),
    { numRuns: 200 },
  );
});

it('is empty where there is none', async () => {
  expect(await readHistory(memoryDisk(), FOLDER)).toEqual({ entries: [], damage: [], aside: 0 });
});

it('keeps what happens while it writes', async () => {
  const { disk, entry, open } = bench();
  const history = await open();
  history.append(entry('a', 1));
  const { fault } = disk;
  disk.fault = (operation) => {
    if (operation !== 'write') return null;
    disk.fault = fault;
    history.append(entry('a', 2));
    return null;
  };
  await history.write();
  await history.close();
  expect((await readHistory(disk, FOLDER, 'a')).entries.map(({ rev }) => rev)).toEqual([1, 2]);
});

it('tells which line of the journal was about to be written, over restarts and a day', async () => {
  const { clock, entry, open } = bench();
  const first = await open();
  expect(first.told).toBe(0);
  first.append(entry('a', 1));
  await first.write(7);
  first.append(entry('a', 2));
  await first.close();
  await clock.advance(DAY_MS);
  const second = await open();
  expect(second.told).toBe(7);
  second.append(entry('b', 1));
  await second.write(9);
  await second.close();
  expect((await open()).told).toBe(9);
});
