import { expect, it } from 'vitest';

import { openHistory, readHistory, type HistoryEntry } from '../../src/store/history.js';
import type { StoreLog } from '../../src/store/journalAdapter.js';
import { memoryDisk } from '../sim/memoryDisk.js';
import { manualClock } from './manualClock.js';

const FOLDER = '/out/.catchupd/history';
const DAY_MS = 86_400_000;

function bench() {
  const clock = manualClock();
  const disk = memoryDisk();
  const said: string[] = [];
  const note = (_facts: object, message: string) => void said.push(message);
  const log: StoreLog = { info: note, warn: note, error: note };
  const entry = (id: string, rev: number, at = clock.now()): HistoryEntry => ({
    at,
    id,
    rev,
    chart: '1',
    type: 'event',
    event: { type: 'DEADLINE', at },
  });
  return { clock, disk, said, entry, open: () => openHistory({ disk, clock, log }, FOLDER) };
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
  const story = await readHistory(disk, FOLDER, 'a');
  expect(story.map(({ seq, rev, type }) => [seq, rev, type])).toEqual([
    [1, 0, 'baseline'],
    [3, 1, 'event'],
    [4, 2, 'event'],
    [5, 3, 'event'],
  ]);
  expect((await readHistory(disk, FOLDER)).length).toBe(5);
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
  expect((await readHistory(disk, FOLDER, 'a')).map((entry) => entry.rev)).toEqual([1, 2]);
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
  expect((await readHistory(disk, FOLDER)).map((entry) => entry.rev)).toEqual([1, 2]);
});

it('lets entries go rather than memory when the disk refuses for long, and says how many', async () => {
  const { disk, said, entry, open } = bench();
  const history = await open();
  disk.fault = (operation) => (operation === 'open' ? 'EIO' : null);
  for (let rev = 0; rev < 20_100; rev += 1) history.append(entry('a', rev));
  await history.write();
  expect(said).toEqual(['history entries were let go']);
  disk.fault = () => null;
  await history.write();
  expect((await readHistory(disk, FOLDER)).length).toBe(20_000);
});

it('deletes only its own files of days before the oldest living recording', async () => {
  const { clock, disk, entry, open } = bench();
  const history = await open();
  for (let day = 0; day < 4; day += 1) history.append(entry('a', day, clock.now() + day * DAY_MS));
  await history.write();
  await (await disk.open(`${FOLDER}/2026-01-01-mine.txt`, 'create')).close();
  await history.prune(clock.now() + 2 * DAY_MS);
  expect(await disk.readdir(FOLDER)).toEqual([
    '2026-01-01-mine.txt',
    '2026-11-25.ndjson',
    '2026-11-26.ndjson',
  ]);
});

it('is empty where there is none', async () => {
  expect(await readHistory(memoryDisk(), FOLDER)).toEqual([]);
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
  expect((await readHistory(disk, FOLDER, 'a')).map(({ rev }) => rev)).toEqual([1, 2]);
});
