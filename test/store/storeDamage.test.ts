/**
 * Every byte of a small state changed and every file of it cut, one at a time: it starts, it lost at most what was hit,
 * and what it lost it says. `storeLaws.test.ts` has larger ones at random.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/io/clock.js';
import { nodeDisk } from '../../src/io/nodeDisk.js';
import { openStore } from '../../src/store/store.js';
import { memoryDisk, type MemoryDisk } from '../sim/memoryDisk.js';
import { settle } from './manualClock.js';
import { contentOf, documentOf, JOURNAL, STATE, storeBench, tombstoneOf } from './storeBench.js';

type Files = ReadonlyMap<string, Buffer>;

const PAIR = [STATE, JOURNAL] as const;
const SPARE = [`${STATE}.prev`, `${JOURNAL}.prev`] as const;
/** What a byte becomes: one bit another, the end of a line, no UTF-8. */
const CHANGES: readonly ((byte: number) => number)[] = [(byte) => byte ^ 1, () => 0x0a, () => 0xff];

let files: Files;
let whole: Record<string, unknown>;

beforeAll(async () => {
  const bench = storeBench();
  const store = await bench.open({ compactBytes: 1 });
  for (const round of [1, 2]) {
    for (const id of ['aaaa0001', 'aaaa0002', 'aaaa0005']) store.put(documentOf(id, round, 'Ä "b"'));
    store.set('hosts', 'h', { round });
    store.set('tombstones', 't', tombstoneOf('t', Date.parse('2026-11-23T00:00:00Z')));
    await store.flush();
    await settle();
  }
  await store.close();
  const again = await bench.open();
  for (const id of ['aaaa0002', 'aaaa0003', 'aaaa0004']) {
    again.put(documentOf(id, 3, 'later'));
    await again.flush();
  }
  await again.close();
  files = new Map([...PAIR, ...SPARE].map((path) => [path, bench.disk.files().get(path) ?? Buffer.alloc(0)]));
  whole = contentOf(again);
});

async function diskOf(content: Files): Promise<MemoryDisk> {
  const disk = memoryDisk();
  await disk.mkdir('/out');
  for (const [path, bytes] of content) {
    const file = await disk.open(path, 'create');
    await file.write([bytes]);
    await file.close();
  }
  return disk;
}

async function opened(content: Files) {
  const disk = await diskOf(content);
  const store = await storeBench(disk).open();
  const found = contentOf(store);
  const { damage } = store.status();
  await store.close();
  const next = await storeBench(disk).open();
  expect({ content: contentOf(next), damage: next.status().damage }).toEqual({ content: found, damage: [] });
  await next.close();
  return { lost: missing(found), damage };
}

/** What is not as it was. */
function missing(found: Record<string, unknown>): string[] {
  return Object.entries(whole).flatMap(([section, values]) => {
    const have = Object(found[section]) as Record<string, unknown>;
    return Object.entries(Object(values) as object)
      .filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(have[key]))
      .map(([key]) => `${section}/${key}`);
  });
}

function* changed(path: string, from: Files): Generator<readonly [string, Files]> {
  const bytes = from.get(path) ?? Buffer.alloc(0);
  expect(bytes.length).toBeGreaterThan(20);
  for (const [at, byte] of bytes.entries())
    for (const change of CHANGES) {
      if (change(byte) === byte) continue;
      const other = Buffer.from(bytes);
      other[at] = change(byte);
      yield [`${path} ${at}: ${byte} → ${change(byte)}`, new Map([...from, [path, other]])];
    }
}

function* cut(path: string, from: Files): Generator<readonly [string, Files]> {
  const bytes = from.get(path) ?? Buffer.alloc(0);
  for (let at = 0; at < bytes.length; at += 1)
    yield [`${path} cut at ${at}`, new Map([...from, [path, bytes.subarray(0, at)]])];
}

async function eachOf(
  cases: Iterable<readonly [string, Files]>,
  judge: (result: Awaited<ReturnType<typeof opened>>) => boolean,
): Promise<void> {
  const wrong: string[] = [];
  for (const [name, content] of cases) {
    try {
      const result = await opened(content);
      if (!judge(result))
        wrong.push(`${name}: lost ${result.lost.join(' ')}; said ${result.damage.join('; ')}`);
    } catch (error) {
      wrong.push(`${name}: ${String(error)}`);
    }
  }
  expect(wrong.slice(0, 10)).toEqual([]);
}

describe('a small state', { timeout: 120_000 }, () => {
  it.each([STATE, ...SPARE])('loses nothing by any byte of %s, nor by any cut of it', async (path) => {
    await eachOf(changed(path, files), ({ lost }) => lost.length === 0);
    await eachOf(cut(path, files), ({ lost }) => lost.length === 0);
  });

  it('loses by a byte of the journal one change at most, and says so', async () => {
    const said = ({ lost, damage }: { lost: string[]; damage: readonly string[] }) =>
      lost.length === 0 || (lost.length === 1 && damage.length > 0);
    await eachOf(changed(JOURNAL, files), said);
  });

  it('loses by a byte of its only base one value at most, and says so', async () => {
    const alone = new Map([...files].filter(([path]) => path === STATE || path === JOURNAL));
    const said = ({ lost, damage }: { lost: string[]; damage: readonly string[] }) =>
      lost.length === 0 || (lost.length === 1 && damage.length > 0);
    await eachOf(changed(STATE, alone), said);
  });

  it('is the same with its journal twice, in another order, or one behind an older journal', async () => {
    const journal = files.get(JOURNAL)?.toString() ?? '';
    const before = files.get(`${JOURNAL}.prev`)?.toString() ?? '';
    const lines = journal.split('\n').slice(0, -1);
    const reversed = `${lines.toReversed().join('\n')}\n`;
    for (const text of [journal + journal, reversed, before + journal, journal + before]) {
      const { lost } = await opened(new Map([...files, [JOURNAL, Buffer.from(text)]]));
      expect(lost).toEqual([]);
    }
  });

  it.each([
    ['zeros', Buffer.alloc(5000)],
    ['no UTF-8', Buffer.alloc(5000, 0xff)],
    ['an empty line', Buffer.from('\n')],
    ['other JSON', Buffer.from('{"a":1}\n')],
  ])('starts with %s in the place of any of its files, and says so', async (_what, bytes) => {
    for (const path of PAIR) {
      const { lost, damage } = await opened(new Map([...files, [path, bytes]]));
      expect(lost.length).toBe(path === STATE ? 0 : 3);
      expect(damage.length).toBeGreaterThan(0);
    }
    for (const path of SPARE) expect((await opened(new Map([...files, [path, bytes]]))).lost).toEqual([]);
  });

  it.each([
    ['recorder-state.json', 1],
    ['recorder-state.journal.ndjson', 0],
  ])('starts with more of nothing in %s than can be read, and says so', async (name, left) => {
    const folder = mkdtempSync(join(tmpdir(), 'catchupd-damage-'));
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
    const statePath = join(folder, 'recorder-state.json');
    const open = () => openStore({ disk: nodeDisk, clock: systemClock, log, statePath, reserveBytes: 0 });
    try {
      const store = await open();
      store.put(documentOf('aaaa0001', 1));
      await store.close();
      writeFileSync(join(folder, name), '');
      truncateSync(join(folder, name), 3 * 2 ** 30);
      const again = await open();
      expect(again.status().damage).toHaveLength(1);
      // The base has another before it; a journal has none.
      expect(again.recordings().size).toBe(left);
      await again.close();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.each([
    ['a pipe', (path: string) => void execFileSync('mkfifo', [path])],
    ['a device without an end', (path: string) => symlinkSync('/dev/zero', path)],
    ['a link that leads nowhere', (path: string) => symlinkSync('/nowhere/at/all', path)],
    ['a folder', (path: string) => mkdirSync(path)],
  ])('waits for nobody where any of its files is %s', async (_what, put) => {
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
    for (const name of [...PAIR, ...SPARE].map((path) => basename(path))) {
      const folder = mkdtempSync(join(tmpdir(), 'catchupd-damage-'));
      const statePath = join(folder, 'recorder-state.json');
      const open = () => openStore({ disk: nodeDisk, clock: systemClock, log, statePath, reserveBytes: 0 });
      try {
        for (const [path, bytes] of files)
          if (basename(path) !== name) writeFileSync(join(folder, basename(path)), bytes);
        put(join(folder, name));
        const store = await open();
        store.put(documentOf('aaaa0009', 1));
        await store.close();
        const again = await open();
        expect(again.status().damage).toEqual([]);
        expect([...again.recordings().keys()]).toContain('aaaa0009');
        // Without the last journal two of five are unknown.
        expect(again.recordings().size).toBe(name === basename(JOURNAL) ? 4 : 6);
        await again.close();
      } finally {
        rmSync(folder, { recursive: true });
      }
    }
  });
});
