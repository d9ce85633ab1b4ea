import { describe, expect, it } from 'vitest';

import { CodedError } from '../../src/domain/errors.js';
import { encodeLine } from '../../src/store/journalLine.js';
import { RECORDING_VERSION } from '../../src/store/migrations.js';
import { memoryDisk } from '../sim/memoryDisk.js';
import { settle } from './manualClock.js';
import { contentOf, documentOf, JOURNAL, STATE, storeBench, tombstoneOf } from './storeBench.js';

async function codeOf(task: Promise<unknown>): Promise<string> {
  return task.then(
    () => 'none',
    (error: unknown) => (error instanceof CodedError ? error.code : String(error)),
  );
}

const lines = (journal: Buffer | undefined) => (journal?.toString().split('\n').length ?? 1) - 1;

describe('the store', () => {
  it('opens again with everything that was flushed, even after a power cut', async () => {
    const bench = storeBench();
    const store = await bench.open();
    store.put(documentOf('aaaa0001', 1));
    store.put(documentOf('aaaa0002', 7, 'ünïcode "quoted"\n'));
    store.set('roots', '/out', 'uuid-1');
    store.set('hosts', 'h:80', { failures: 2 });
    store.set('outbox', 'o1', { id: 'o1', server: 'plex' });
    await store.flush();
    const before = contentOf(store);
    bench.disk.crash();
    const again = await bench.open();
    expect(contentOf(again)).toEqual(before);
    expect(again.status()).toEqual({ writable: true, problem: null, damage: [] });
  });

  it('writes one line and one sync for all changes of a turn, and for all that come while a sync runs', async () => {
    const bench = storeBench();
    const store = await bench.open();
    let syncs = 0;
    bench.disk.fault = (operation) => {
      if (operation === 'datasync') syncs += 1;
      return null;
    };
    for (let index = 0; index < 50; index += 1) store.put(documentOf(`aaaa00${index}`, 1));
    const first = store.flush();
    await Promise.resolve();
    await Promise.resolve();
    for (let index = 0; index < 50; index += 1) store.put(documentOf(`bbbb00${index}`, 1));
    await Promise.all([first, store.flush()]);
    expect(syncs).toBe(2);
    expect(lines(bench.disk.files().get(JOURNAL))).toBe(2);
  });

  it('tells the hundreds of one turn a few at a time, in one line and as they were in it', async () => {
    const bench = storeBench();
    let turns = 0;
    const store = await bench.open({ yieldTurn: () => Promise.resolve(void (turns += 1)) });
    const ids = Array.from({ length: 100 }, (_, index) => `aaaa00${index}`);
    for (const id of ids) store.put(documentOf(id, 1));
    const flushed = store.flush();
    await Promise.resolve();
    await Promise.resolve();
    for (const id of ids) store.put(documentOf(id, 2));
    await flushed;
    const [line = ''] = bench.disk.files().get(JOURNAL)?.toString().split('\n') ?? [];
    const told = JSON.parse(line) as { set: { recordings: Record<string, { rev: number }> } };
    expect(Object.entries(told.set.recordings).map(([id, { rev }]) => [id, rev])).toEqual(
      ids.map((id) => [id, 1]),
    );
    expect(turns).toBeGreaterThanOrEqual(6);
  });

  it('buries a recording and keeps its tombstone in one line', async () => {
    const bench = storeBench();
    const store = await bench.open();
    store.put(documentOf('aaaa0001', 1));
    await store.flush();
    store.bury('aaaa0001', tombstoneOf('aaaa0001', bench.clock.now()));
    await store.durable('aaaa0001', 2);
    const last = bench.disk.files().get(JOURNAL)?.toString().trimEnd().split('\n').at(-1);
    expect(JSON.parse(last ?? '')).toMatchObject({
      set: { recordings: { aaaa0001: null }, tombstones: { aaaa0001: { id: 'aaaa0001' } } },
    });
    const again = await bench.open();
    expect([...again.recordings().keys()]).toEqual([]);
    expect([...again.tombstones().keys()]).toEqual(['aaaa0001']);
  });

  it('says that a revision is durable only when it is on disk, also when asked before it was put', async () => {
    const bench = storeBench();
    const store = await bench.open();
    const done: string[] = [];
    void store.durable('aaaa0001', 2).then(() => done.push('2'));
    store.put(documentOf('aaaa0001', 1));
    await store.flush();
    await settle();
    expect(done).toEqual([]);
    bench.disk.fault = (operation) => (operation === 'datasync' ? 'EIO' : null);
    store.put(documentOf('aaaa0001', 2));
    await settle();
    expect(done).toEqual([]);
    bench.disk.fault = () => null;
    await bench.clock.advance(1000);
    expect(done).toEqual(['2']);
    await store.durable('aaaa0001', 1);
  });

  it('says so again to whoever asks again the moment it was said', async () => {
    const bench = storeBench();
    const store = await bench.open();
    store.put(documentOf('aaaa0001', 1));
    let done = false;
    void store
      .durable('aaaa0001', 1)
      .then(() => store.durable('aaaa0001', 1))
      .then(() => store.written('recordings', 'aaaa0001'))
      .then(() => (done = true));
    await settle();
    expect(done).toBe(true);
  });

  it('writes a state and what is owed because of it as one line, and says when both are there', async () => {
    const bench = storeBench();
    const store = await bench.open();
    const done: string[] = [];
    bench.disk.fault = (operation) => (operation === 'datasync' ? 'EIO' : null);
    store.put(documentOf('aaaa0001', 1));
    store.set('outbox', 'o1', { id: 'o1', server: 'plex' });
    void store.written('outbox', 'o1').then(() => done.push('o1'));
    await settle();
    expect(done).toEqual([]);
    bench.disk.fault = () => null;
    await bench.clock.advance(1000);
    expect(done).toEqual(['o1']);
    expect(lines(bench.disk.files().get(JOURNAL))).toBe(1);
    store.set('outbox', 'o1', null);
    await store.written('outbox', 'o1');
    await store.written('outbox', 'nothing of the kind');
    expect(bench.disk.files().get(JOURNAL)?.toString()).toContain('"set":{"outbox":{"o1":null}}');
  });

  it('keeps everything while the disk refuses, tries every second, and says it once each way', async () => {
    const bench = storeBench();
    const store = await bench.open();
    bench.disk.fault = (operation, path) => (operation === 'write' && path === JOURNAL ? 'EIO' : null);
    store.put(documentOf('aaaa0001', 1));
    await bench.clock.advance(10_000);
    store.put(documentOf('aaaa0002', 1));
    expect(store.status()).toMatchObject({ writable: false, problem: 'EIO' });
    bench.disk.fault = () => null;
    await bench.clock.advance(1000);
    await store.flush();
    expect(store.status()).toMatchObject({ writable: true, problem: null });
    expect(bench.said).toEqual([
      'error the state cannot be written; trying every second',
      'info the state is written again',
    ]);
    bench.disk.crash();
    const again = await bench.open();
    expect([...again.recordings().keys()]).toEqual(['aaaa0001', 'aaaa0002']);
    expect(again.status().damage).toEqual([]);
  });

  it('gives up its reserve when the disk is full, and writes on', async () => {
    const bench = storeBench(memoryDisk({ bytes: 3_000_000 }));
    const store = await bench.open({ reserveBytes: 500_000 });
    await settle();
    expect(bench.disk.files().has('/out/.catchupd/reserve')).toBe(true);
    const { freeBytes } = await bench.disk.space('/out');
    const filler = await bench.disk.open('/out/spool', 'append');
    await filler.write([Buffer.alloc(freeBytes)]);
    store.put(documentOf('aaaa0001', 1));
    await store.flush();
    expect(store.status().problem).toBeNull();
    expect(bench.disk.files().has('/out/.catchupd/reserve')).toBe(false);
    expect([...(await bench.open()).recordings().keys()]).toEqual(['aaaa0001']);
  });

  it('takes away what a crash left half-written beside it, and nothing of anybody else', async () => {
    const bench = storeBench();
    await (await bench.open()).close();
    const ours = [
      '/out/.recorder-state.json.12-3.tmp',
      '/out/.recorder-state.journal.ndjson.12-4.tmp',
      '/out/.catchupd/.sources.json.7-1.tmp',
      '/out/.catchupd/guide/.xmltv-0a.json.7-2.tmp',
      '/out/.catchupd/guide/past/.xmltv-0a.json.7-3.tmp',
      '/out/.catchupd/history/.2026-11-22.ndjson.7-4.tmp',
      '/out/.catchupd/index/.0123abcd.7-5.tmp',
    ];
    const theirs = [
      '/out/.recorder-state.json.tmp',
      '/out/.notes.json.12-3.tmp',
      '/out/recorder-state.json.bak',
      '/out/.catchupd/guide/xmltv-0a.json',
      '/out/.catchupd/guide/.mine.tmp',
      '/out/.catchupd/commands/.keep.json.7-6.tmp',
    ];
    for (const folder of ['guide/past', 'history', 'index', 'commands'])
      await bench.disk.mkdir(`/out/.catchupd/${folder}`);
    for (const path of [...ours, ...theirs]) await (await bench.disk.open(path, 'create')).close();
    await bench.open({ readOnly: true });
    expect(ours.filter((path) => bench.disk.files().has(path))).toEqual(ours);
    await bench.open();
    expect(ours.filter((path) => bench.disk.files().has(path))).toEqual([]);
    expect(theirs.filter((path) => bench.disk.files().has(path))).toEqual(theirs);
  });

  it('writes for one change as much with a thousand recordings stored as with ten', async () => {
    const written = async (count: number) => {
      const bench = storeBench();
      const store = await bench.open();
      for (let index = 0; index < count; index += 1) store.put(documentOf(`id${index}`, 1, 'x'.repeat(500)));
      await store.flush();
      let texts = 0;
      const counted = {
        ...documentOf('id1', 2),
        snapshot: {
          toJSON() {
            texts += 1;
            return {};
          },
        },
      };
      const before = bench.disk.sizes().get(JOURNAL) ?? 0;
      const operations: string[] = [];
      bench.disk.fault = (operation, path) => {
        operations.push(`${operation} ${path}`);
        return null;
      };
      store.put(counted);
      await store.flush();
      return { bytes: (bench.disk.sizes().get(JOURNAL) ?? 0) - before, texts, operations };
    };
    const [few, many] = [await written(10), await written(1000)];
    expect(few).toMatchObject({ texts: 1, operations: [`write ${JOURNAL}`, `datasync ${JOURNAL}`] });
    expect({ ...many, bytes: 0 }).toEqual({ ...few, bytes: 0 });
    expect(many.bytes - few.bytes).toBeLessThan(4);
  });

  it('takes a base that a tool laid out anew, and one whose checksum a person took out, as it is', async () => {
    const bench = storeBench();
    const store = await bench.open({ compactBytes: 1 });
    store.put(documentOf('aaaa0001', 1));
    store.set('hosts', 'h:80', { failures: 2 });
    await store.flush();
    await store.close();
    const base = JSON.parse(bench.disk.files().get(STATE)?.toString() ?? '') as {
      recordings: Record<string, { snapshot: { text: string } }>;
    };
    const changed = structuredClone(base);
    if (changed.recordings['aaaa0001']) changed.recordings['aaaa0001'].snapshot.text = 'by hand';
    const { crc: _, ...bare } = changed as unknown as Record<string, unknown>;
    for (const text of [JSON.stringify(changed), JSON.stringify(changed, null, 2), JSON.stringify(bare)]) {
      await bench.disk.unlink(STATE);
      const file = await bench.disk.open(STATE, 'create');
      await file.write([Buffer.from(text)]);
      await file.close();
      const reader = await bench.open({ readOnly: true });
      expect(reader.status().damage).toEqual([]);
      expect(reader.recordings().get('aaaa0001')?.snapshot).toMatchObject({ text: 'by hand' });
    }
  });

  it('puts aside a folder that has the name of one of its files, with what is in it, and goes on', async () => {
    for (const path of [STATE, JOURNAL, `${STATE}.prev`, `${JOURNAL}.prev`]) {
      const bench = storeBench();
      const store = await bench.open({ compactBytes: 1 });
      for (const id of ['aaaa0001', 'aaaa0002']) {
        store.put(documentOf(id, 1));
        await store.flush();
        await settle();
      }
      await store.close();
      if (bench.disk.files().has(path)) await bench.disk.unlink(path);
      await bench.disk.mkdir(path);
      const file = await bench.disk.open(`${path}/mine`, 'create');
      await file.close();
      const again = await bench.open({ compactBytes: 1 });
      expect([path, ...again.recordings().keys()]).toEqual([path, 'aaaa0001', 'aaaa0002']);
      expect(bench.said).toEqual([expect.stringMatching(/^error .*(?:used|cannot be read|a folder)/)]);
      expect([...bench.disk.files().keys()]).toContainEqual(expect.stringMatching(/\/quarantine\/.*\/mine$/));
      // It would be in the way of every new base.
      again.put(documentOf('aaaa0003', 1));
      await again.flush();
      await settle();
      await again.close();
      const last = await bench.open();
      expect(last.status().damage).toEqual([]);
      expect(last.recordings().size).toBe(3);
      expect(bench.said).toHaveLength(1);
    }
  });

  it('leaves what is no file beside it where the quarantine is on another disk', async () => {
    const bench = storeBench();
    await bench.disk.mkdir('/state');
    bench.disk.mount('/state');
    await bench.disk.mkdir('/state/recorder-state.json/inside');
    const places = { statePath: '/state/recorder-state.json', privateFolder: '/out/.catchupd' };
    const store = await bench.open(places);
    store.put(documentOf('aaaa0001', 1));
    await store.flush();
    await store.close();
    expect((await bench.open(places)).recordings().size).toBe(1);
    expect(await bench.disk.readdir('/state')).toContainEqual(
      expect.stringMatching(/-1-recorder-state\.json$/),
    );
  });

  it('says how much a state lacks that was put back, whose journal is gone, or that is gone', async () => {
    const kept = async (taken: readonly string[]) => {
      const bench = storeBench();
      let told = 0;
      const options = { beforeCommit: async (line: number) => void (told = line) };
      const store = await bench.open(options);
      for (const rev of [1, 2, 3, 4, 5]) {
        store.put(documentOf('aaaa0001', rev));
        await store.flush();
      }
      await store.close();
      for (const path of taken) await bench.disk.unlink(path);
      const again = await bench.open({ ...options, told });
      const { damage } = again.status();
      again.put(documentOf('aaaa0002', 1));
      await again.flush();
      await again.close();
      // It is said once: what comes now has numbers of its own.
      const last = await bench.open({ told });
      expect(last.status().damage).toEqual([]);
      expect(last.recordings().get('aaaa0002')?.rev).toBe(1);
      await last.close();
      // Nor is it told again by the pair before.
      await bench.disk.unlink(STATE);
      const spare = await bench.open({ told, readOnly: true });
      expect(spare.status().damage).toEqual([]);
      expect(spare.recordings().get('aaaa0002')?.rev).toBe(1);
      return { damage, said: bench.said };
    };
    expect(await kept([])).toEqual({ damage: [], said: [] });
    for (const taken of [[JOURNAL], [STATE, JOURNAL]]) {
      const { damage, said } = await kept(taken);
      expect(damage).toEqual([expect.stringContaining('the last 4 changes that were written are missing')]);
      expect(said).toEqual([expect.stringMatching(/^error the last 4 changes/)]);
    }
  });

  it('misses nothing where a crash came between the history and the line that it goes with', async () => {
    const bench = storeBench();
    const store = await bench.open();
    store.put(documentOf('aaaa0001', 1));
    await store.flush();
    await store.close();
    expect((await bench.open({ told: 2 })).status().damage).toEqual([]);
  });

  it('holds space back again when there is room', async () => {
    const bench = storeBench(memoryDisk({ bytes: 3_000_000 }));
    const store = await bench.open({ reserveBytes: 500_000 });
    await settle();
    const { freeBytes } = await bench.disk.space('/out');
    const filler = await bench.disk.open('/out/spool', 'append');
    await filler.write([Buffer.alloc(freeBytes)]);
    store.put(documentOf('aaaa0001', 1));
    await store.flush();
    const there = () => bench.disk.files().has('/out/.catchupd/reserve');
    expect(there()).toBe(false);
    await bench.clock.advance(60_000);
    store.put(documentOf('aaaa0001', 2));
    await store.flush();
    await settle();
    expect(there()).toBe(false);
    await filler.truncate(0);
    await bench.clock.advance(60_000);
    store.put(documentOf('aaaa0001', 3));
    await store.flush();
    await settle();
    expect(there()).toBe(true);
  });

  it('says at once when it cannot be written, and when it can again', async () => {
    const bench = storeBench();
    const said: (string | null)[] = [];
    const store = await bench.open({ onProblem: (code) => said.push(code) });
    bench.disk.fault = (operation) => (operation === 'write' ? 'EIO' : null);
    store.put(documentOf('aaaa0001', 1));
    await bench.clock.advance(3_000);
    bench.disk.fault = () => null;
    await bench.clock.advance(1_000);
    expect(said).toEqual(['EIO', null]);
  });

  it('does not wait at its end for a disk that does not answer', async () => {
    const bench = storeBench();
    const store = await bench.open();
    const { open } = bench.disk;
    bench.disk.open = async (path, how, mode) => ({
      ...(await open(path, how, mode)),
      datasync: () => new Promise<void>(() => undefined),
    });
    bench.disk.fault = (operation) => (operation === 'write' ? 'EIO' : null);
    store.put(documentOf('aaaa0001', 1));
    await settle();
    bench.disk.fault = () => null;
    await bench.clock.advance(1_000);
    const closed = codeOf(store.close());
    await bench.clock.advance(1_500);
    expect(await closed).toBe('state_unwritable');
  });

  it('ends at once and in order while a big base is being written on a slow disk', async () => {
    const bench = storeBench();
    const turns: (() => void)[] = [];
    const store = await bench.open({
      compactBytes: 1,
      yieldTurn: () => new Promise((resolve) => void turns.push(resolve)),
    });
    for (let id = 0; id < 12; id += 1) store.put(documentOf(`aaaa${id}`, 1, 'x'.repeat(17_000)));
    await store.flush();
    await settle();
    expect(turns).toHaveLength(1);
    const closed = codeOf(store.close());
    await bench.clock.advance(1_500);
    turns.shift()?.();
    await bench.clock.advance(1_500);
    expect(await closed).toBe('none');
    expect(turns).toEqual([]);
    expect([...bench.disk.sizes('/out').keys()].filter((path) => path.endsWith('.tmp'))).toEqual([]);
    expect(bench.disk.openFiles()).toBe(0);
    const again = await bench.open();
    expect(again.recordings().size).toBe(12);
    expect(again.status().damage).toEqual([]);
    await again.close();
  });

  it('writes the state anew when somebody took the journal away', async () => {
    const bench = storeBench();
    const store = await bench.open();
    store.put(documentOf('aaaa0001', 1));
    await store.flush();
    bench.disk.fault = (operation) => (operation === 'write' ? 'EIO' : null);
    store.put(documentOf('aaaa0002', 1));
    await settle();
    await bench.disk.unlink(JOURNAL);
    bench.disk.fault = () => null;
    await bench.clock.advance(1000);
    await store.flush();
    const again = await bench.open();
    expect([...again.recordings().keys()]).toEqual(['aaaa0001', 'aaaa0002']);
    expect(again.status().damage).toEqual([]);
  });

  it('does not start where it cannot write, and names the file', async () => {
    const bench = storeBench();
    bench.disk.fault = (operation) => (operation === 'create' ? 'EACCES' : null);
    await expect(bench.open()).rejects.toMatchObject({
      code: 'state_unwritable',
      detail: '/out/recorder-state.json (EACCES)',
    });
  });

  it('leaves out a value that is no JSON instead of failing for all', async () => {
    const bench = storeBench();
    const store = await bench.open();
    store.put({ ...documentOf('aaaa0001', 1), snapshot: { big: 1n } });
    store.put(documentOf('aaaa0002', 1));
    await store.flush();
    expect([...(await bench.open()).recordings().keys()]).toEqual(['aaaa0002']);
  });

  it('throws when a store that is only read is changed', async () => {
    const bench = storeBench();
    await (await bench.open()).close();
    const reader = await bench.open({ readOnly: true });
    expect(() => reader.put(documentOf('a', 1))).toThrow('only read');
  });

  it('leaves no file open when it is closed', async () => {
    const bench = storeBench();
    const store = await bench.open({ compactBytes: 1, reserveBytes: 1000 });
    for (let rev = 1; rev < 9; rev += 1) {
      store.put(documentOf('aaaa0001', rev));
      await store.flush();
    }
    await store.close();
    await (await bench.open()).close();
    await bench.open({ readOnly: true });
    expect(bench.disk.openFiles()).toBe(0);
  });

  it('says at close when the disk refuses to the end', async () => {
    const bench = storeBench();
    const store = await bench.open();
    bench.disk.fault = () => 'EROFS';
    store.put(documentOf('aaaa0001', 1));
    expect(await codeOf(store.close())).toBe('state_unwritable');
  });
});

describe('the base document', () => {
  it('is the readable JSON that the contract names', async () => {
    const bench = storeBench();
    const store = await bench.open({ compactBytes: 1 });
    store.put(documentOf('aaaa0001', 1));
    store.set('tombstones', 'bbbb0001', tombstoneOf('bbbb0001', bench.clock.now()));
    await store.flush();
    await store.close();
    const base: unknown = JSON.parse(bench.disk.files().get(STATE)?.toString() ?? '');
    expect(base).toMatchObject({
      version: 1,
      recordings: { aaaa0001: { id: 'aaaa0001', snapshot: { value: 'scheduled' } } },
      tombstones: [{ id: 'bbbb0001' }],
      outbox: [],
      hosts: {},
      autopilot: {},
      accounts: {},
    });
    expect(Object.keys(bench.disk.files('/out/.catchupd'))).toEqual([]);
  });

  it('is rewritten when the journal grows, in slices, while changes go on', async () => {
    const bench = storeBench();
    let slices = 0;
    const store = await bench.open({
      compactBytes: 2_000_000,
      yieldTurn: async () => {
        slices += 1;
        store.put(documentOf(`during${slices}`, 1));
      },
    });
    for (let index = 0; index < 1000; index += 1) store.put(documentOf(`doc${index}`, 1, 'x'.repeat(3000)));
    for (let seen = -1; seen < slices;) {
      seen = slices;
      await store.flush();
      await settle();
    }
    expect(slices).toBeGreaterThan(5);
    const before = contentOf(store);
    expect(lines(bench.disk.files().get(JOURNAL))).toBeLessThan(slices + 2);
    bench.disk.crash();
    expect(contentOf(await bench.open())).toEqual(before);
  });

  it.each([0, 0.5, 1])(
    'loses nothing that was acknowledged whichever step of putting it in place failed, where a crash leaves %s of what is not synced',
    async (keep) => {
      const seen: string[] = [];
      for (let failing = 0; failing <= seen.length; failing += 1) {
        const bench = storeBench();
        let isWriting: () => void = () => undefined;
        let goOn: () => void = () => undefined;
        const store = await bench.open({
          compactBytes: 60_000,
          yieldTurn: () =>
            new Promise<void>((resolve) => {
              goOn = resolve;
              isWriting();
            }),
        });
        const begun = new Promise<void>((resolve) => (isWriting = resolve));
        for (let n = 0; n < 6; n += 1) store.put(documentOf(`aaaa000${n}`, 1, 'x'.repeat(11_000)));
        await store.flush();
        await begun;
        // Comes while the base is written, so that the new journal begins with it.
        store.put(documentOf('bbbb0001', 1));
        await store.flush();
        let steps = -1;
        seen.length = 0;
        bench.disk.fault = (operation, path) => {
          if (steps < 0 && (operation !== 'rename' || path !== `${STATE}.prev`)) return null;
          seen.push(`${operation} ${path}`);
          return (steps += 1) === failing ? 'EIO' : null;
        };
        for (let turn = 0; turn < 20; turn += 1) {
          goOn();
          await settle();
        }
        store.put(documentOf('bbbb0002', 1));
        const flushed = store.flush();
        await bench.clock.advance(5_000);
        await flushed;
        const before = contentOf(store);
        bench.disk.fault = () => null;
        bench.disk.crash(keep);
        const again = await bench.open();
        expect([seen[failing], contentOf(again)]).toEqual([seen[failing], before]);
        expect(again.status().damage).toEqual([]);
      }
      expect(seen.length).toBeGreaterThan(8);
    },
  );

  it('forgets tombstones 30 days after the stop, those of episodes a year after, and none while the clock is in doubt', async () => {
    const bench = storeBench();
    const day = 86_400_000;
    const now = bench.clock.now();
    let trusted: number | null = null;
    const store = await bench.open({ compactBytes: 1, trustedNow: () => trusted });
    store.set('tombstones', 'old', tombstoneOf('old', now - 31 * day));
    store.set('tombstones', 'young', tombstoneOf('young', now - 29 * day));
    store.set('tombstones', 'episode', tombstoneOf('episode', now - 31 * day, 's1e1'));
    store.set('tombstones', 'lost', tombstoneOf('lost', now - 366 * day, 's1e2'));
    await store.flush();
    await settle();
    expect(store.tombstones().size).toBe(4);
    trusted = now;
    store.put(documentOf('aaaa0001', 1));
    await store.flush();
    await settle();
    expect([...store.tombstones().keys()]).toEqual(['young', 'episode']);
    await store.close();
    expect([...(await bench.open()).tombstones().keys()]).toEqual(['young', 'episode']);
  });

  it('keeps the journal when a new base finds no room, and says so', async () => {
    const bench = storeBench();
    const store = await bench.open({ compactBytes: 100 });
    bench.disk.fault = (operation, path) =>
      operation === 'write' && path.includes('.recorder-state.json.') ? 'ENOSPC' : null;
    for (let rev = 1; rev < 20; rev += 1) {
      store.put(documentOf('aaaa0001', rev));
      await store.flush();
      await settle();
    }
    expect(bench.said).toContain('warn the state could not be written anew; the journal grows on');
    bench.disk.crash();
    bench.disk.fault = () => null;
    expect((await bench.open()).recordings().get('aaaa0001')?.rev).toBe(19);
    expect(await bench.disk.readdir('/out')).not.toContain('.recorder-state.json');
  });
});

describe('what else may lie where the state should be', () => {
  it('refuses a newer state and touches nothing', async () => {
    const bench = storeBench();
    await bench.disk.mkdir('/out');
    const file = await bench.disk.open(STATE, 'create');
    await file.write([Buffer.from('{"version": 2, "rev": 5, "recordings": {}}')]);
    const before = bench.disk.files();
    expect(await codeOf(bench.open())).toBe('state_newer');
    expect(bench.disk.files()).toEqual(before);
  });

  it('refuses a recording that a newer version wrote, in the base or behind it, and touches nothing', async () => {
    const newer = { ...documentOf('aaaa0001', 1), v: RECORDING_VERSION + 1 };
    for (const isInBase of [true, false]) {
      const bench = storeBench();
      const store = await bench.open();
      await store.close();
      const path = isInBase ? STATE : JOURNAL;
      const line = encodeLine(1, JSON.stringify({ recordings: { aaaa0001: newer } }));
      const text = JSON.stringify({ version: 1, rev: 1, recordings: { aaaa0001: newer } });
      if (isInBase) await bench.disk.unlink(STATE);
      const file = await bench.disk.open(path, 'append');
      await file.write([isInBase ? Buffer.from(text) : line]);
      await file.close();
      const before = bench.disk.files();
      expect(await codeOf(bench.open())).toBe('state_newer');
      expect(bench.disk.files()).toEqual(before);
    }
  });

  it('refuses a state it may not read', async () => {
    const bench = storeBench();
    await (await bench.open()).close();
    bench.disk.fault = (operation) => (operation === 'readFile' ? 'EACCES' : null);
    expect(await codeOf(bench.open())).toBe('state_unreadable');
  });

  it('keeps the state of iptv-tunerr under another name and does not record its programmes again', async () => {
    const bench = storeBench();
    await bench.disk.mkdir('/out');
    const file = await bench.disk.open(STATE, 'create');
    const key = 'dna-1|2026-11-23T19:30:00Z|news';
    const theirs = JSON.stringify({
      updated_at: 'x',
      active: [],
      completed: [{ record_key: key, dna_id: 'dna-1', stop: '2026-11-23T20:00:00Z' }, { title: 'no key' }],
      failed: [{ record_key: 'dna-2|x|y' }],
    });
    await file.write([Buffer.from(theirs)]);
    const reader = await bench.open({ readOnly: true });
    expect(reader.tombstones().size).toBe(2);
    expect([...bench.disk.files().keys()]).toEqual([STATE]);
    const store = await bench.open();
    expect([...store.tombstones().values()].map((tombstone) => tombstone.keys)).toEqual([
      [key.toLowerCase()],
      ['dna-2|x|y'],
    ]);
    expect(bench.disk.files().get('/out/recorder-state.iptv-tunerr.json')?.toString()).toBe(theirs);
    await store.close();
    expect((await bench.open()).tombstones().size).toBe(2);
  });

  it.each(['kill', 'power cut'])(
    'forgets nothing of the state of iptv-tunerr by a %s at any step',
    async (end) => {
      const theirs = JSON.stringify({
        updated_at: 'x',
        active: [],
        completed: [{ record_key: 'dna-1|x|y', stop: '2026-11-23T20:00:00Z' }],
        failed: [{ record_key: 'dna-2|x|y' }],
      });
      let steps = 0;
      for (let isThrough = false; !isThrough; steps += 1) {
        const bench = storeBench();
        await bench.disk.mkdir('/out');
        const file = await bench.disk.open(STATE, 'create');
        await file.write([Buffer.from(theirs)]);
        await file.datasync();
        await file.close();
        await bench.disk.syncFolder('/out');
        // Killed twice at the same step: what the first one left is found by the second.
        for (const _life of [1, 2]) {
          let left = steps;
          bench.disk.fault = () => ((left -= 1) < 0 ? 'EIO' : null);
          isThrough = (await codeOf(bench.open())) === 'none' && left >= 0;
          bench.disk.fault = () => null;
          if (end === 'power cut') bench.disk.crash();
        }
        const store = await bench.open();
        expect([steps, store.tombstones().size]).toEqual([steps, 2]);
        const kept = [...bench.disk.files()].filter(([path]) => path.includes('iptv-tunerr'));
        expect(kept.map(([path, bytes]) => [path, bytes.toString()])).toEqual([
          ['/out/recorder-state.iptv-tunerr.json', theirs],
        ]);
        await store.close();
      }
      expect(steps).toBeGreaterThan(10);
    },
  );

  it('puts other JSON aside and starts', async () => {
    const bench = storeBench();
    await bench.disk.mkdir('/out');
    const file = await bench.disk.open(STATE, 'create');
    await file.write([Buffer.from('{"hello": 1}')]);
    const store = await bench.open();
    expect(store.recordings().size).toBe(0);
    expect(store.status().damage).toEqual([`${STATE}: this JSON is not a state of catchupd`]);
    expect([...bench.disk.files('/out/.catchupd/quarantine').values()].map(String)).toEqual(['{"hello":1}']);
  });

  it('can be read while a daemon writes and compacts, without touching anything', async () => {
    const bench = storeBench();
    const store = await bench.open({ compactBytes: 400 });
    store.put(documentOf('aaaa0000', 1));
    await store.flush();
    for (let rev = 2; rev < 60; rev += 1) {
      store.put(documentOf('aaaa0000', rev));
      const written = store.flush();
      const reader = await bench.open({ readOnly: true });
      expect(reader.recordings().get('aaaa0000')?.rev).toBeGreaterThanOrEqual(rev - 1);
      expect(reader.status().damage).toEqual([]);
      await written;
    }
    expect(await bench.disk.readdir('/out/.catchupd/quarantine')).toEqual([]);
  });

  it('opens an empty store for a reader where there is nothing yet, and makes nothing', async () => {
    const bench = storeBench();
    const reader = await bench.open({ readOnly: true });
    expect(reader.recordings().size).toBe(0);
    await reader.close();
    expect([...bench.disk.files().keys()]).toEqual([]);
  });
});
