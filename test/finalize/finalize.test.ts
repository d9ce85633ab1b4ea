import { describe, expect, it } from 'vitest';

import { memoryDisk } from '../sim/memoryDisk.js';
import { aCapsule, aRecording, START, STOP } from '../domain/aRecording.js';
import { finalizeBench, FOLDER, NAME, OUT, packets, PUBLISH, writeSpool } from './finalizeBench.js';

const files = {
  folder: FOLDER,
  media: `${FOLDER}/${NAME}.ts`,
  nfo: `${FOLDER}/${NAME}.nfo`,
  ledger: `${FOLDER}/${NAME}.catchupd.json`,
  ownsFolder: true,
};

describe('finalizing', () => {
  it('puts media, nfo and ledger into a folder of their own and leaves nothing in out-dir', async () => {
    const bench = await finalizeBench();
    const recording = aRecording();
    await writeSpool(bench.disk, recording.spool, packets(2));
    const outcome = await bench.finalize(recording);
    expect(outcome).toMatchObject({
      kind: 'published',
      files,
      result: { outcome: 'complete', reason: '', coverage: 1, bytes: 376, gaps: [] },
    });
    expect(bench.paths('/out')).toEqual([]);
    expect(bench.paths('/media')).toEqual([files.ledger, files.nfo, files.media].toSorted());
    expect(bench.disk.files().get(files.media)?.equals(packets(2))).toBe(true);
    for (const path of [files.media, files.nfo, files.ledger])
      expect(await bench.disk.stat(path)).toMatchObject({ mode: 0o644, links: 1 });
    expect((await bench.disk.stat(FOLDER)).mode).toBe(0o755);
  });

  it('writes the ledger as the contract has it', async () => {
    const bench = await finalizeBench();
    const source = { source: 'm3u-1', channel: 'bbc1', index: 1 };
    const recording = aRecording({
      stretches: [
        { source, fromAt: START, toAt: START + 60_000, bytes: 188, firstOffset: 0 },
        { source, fromAt: START + 62_500, toAt: STOP, bytes: 188, firstOffset: 188 },
      ],
      gaps: [{ fromAt: START + 60_000, toAt: START + 62_500, cause: 'http_503' }],
      joins: [{ at: START + 62_500, kind: 'reconnect', removedOverlapS: 0.5, approximate: false }],
    });
    await writeSpool(bench.disk, recording.spool, packets(2));
    await bench.finalize(recording);
    const ledger: unknown = JSON.parse(bench.disk.files().get(files.ledger)?.toString() ?? '');
    expect(ledger).toMatchObject({
      version: 1,
      recording_id: '1a2b3c4d',
      capsule: { capsule_id: recording.capsule.capsuleId, title: 'Man Utd vs City', lane: 'sports' },
      window: {
        start: '2026-11-23T19:30:00.000Z',
        stop: '2026-11-23T19:40:00.000Z',
        pre_padding_s: 15,
        post_padding_s: 60,
      },
      outcome: 'complete_with_gaps',
      stretches: [
        {
          source: 'm3u-1/bbc1#1',
          from: '2026-11-23T19:30:00.000Z',
          to: '2026-11-23T19:31:00.000Z',
          bytes: 188,
          first_offset: 0,
        },
        { first_offset: 188 },
      ],
      gaps: [
        { from: '2026-11-23T19:31:00.000Z', to: '2026-11-23T19:31:02.500Z', seconds: 2.5, cause: 'http_503' },
      ],
      ts: {
        packets: 0,
        continuity_errors: 0,
        transport_errors: 0,
        scrambled: 0,
        sync_losses: 0,
        skipped_bytes: 0,
        clock_jumps: 0,
        trimmed_bytes: 0,
      },
      joins: [
        { at: '2026-11-23T19:31:02.500Z', kind: 'reconnect', removed_overlap_s: 0.5, approximate: false },
      ],
    });
    expect(ledger).toHaveProperty('coverage', (600 - 2.5) / 600);
  });

  it('stays beside the spool where there is no publish-dir', async () => {
    const bench = await finalizeBench();
    const recording = aRecording();
    await writeSpool(bench.disk, recording.spool, packets(2));
    const outcome = await bench.finalize(recording, null);
    const base = recording.spool.replace('.partial.ts', '');
    expect(outcome).toMatchObject({
      kind: 'published',
      files: { folder: '/out/sports', media: `${base}.ts`, ownsFolder: false },
    });
    expect(bench.paths('/out')).toEqual([`${base}.catchupd.json`, `${base}.nfo`, `${base}.ts`]);
  });

  it('gives two programmes of one title and minute two items', async () => {
    const bench = await finalizeBench();
    const one = aRecording();
    const two = aRecording({
      id: '2b2b2b2b',
      spool: '/out/sports/two.partial.ts',
      capsule: aCapsule({ channelName: 'BBC Two' }),
    });
    const three = aRecording({ id: '3c3c3c3c', spool: '/out/sports/three.partial.ts' });
    const four = aRecording({ id: '4d4d4d4d', spool: '/out/sports/four.partial.ts' });
    const media: string[] = [];
    for (const recording of [one, two, three, four]) {
      await writeSpool(bench.disk, recording.spool, packets(2, media.length));
      const outcome = await bench.finalize(recording);
      if (outcome.kind === 'published') media.push(outcome.files.media);
    }
    expect(media.map((path) => path.split('/').at(-1))).toEqual([
      `${NAME}.ts`,
      `${NAME}-BBC-Two.ts`,
      `${NAME}-BBC-One.ts`,
      expect.stringMatching(/UTC-BBC-One-[0-9a-f]{6}\.ts$/),
    ]);
    expect(media.map((path) => bench.disk.files().get(path)?.[1])).toEqual([0, 1, 2, 3]);
  });

  it('gives two that finish in the same moment two items as well', async () => {
    const bench = await finalizeBench();
    const all = ['1a2b3c4d', '2b2b2b2b', '3c3c3c3c'].map((id) =>
      aRecording({ id, spool: `/out/sports/${id}.partial.ts` }),
    );
    for (const recording of all) await writeSpool(bench.disk, recording.spool, packets(2));
    const outcomes = await Promise.all(all.map((recording) => bench.finalize(recording)));
    const media = outcomes.map((outcome) => (outcome.kind === 'published' ? outcome.files.media : ''));
    expect(new Set(media).size).toBe(3);
    expect(media).not.toContain('');
    expect(bench.paths('/media').filter((path) => path.endsWith('.ts')).length).toBe(3);
  });

  it.each([
    ['of one name', ['Man Utd vs City', 'Man Utd vs City', 'Man Utd vs City', 'Man Utd vs City']],
    ['of names that differ in case only', ['News', 'NEWS', 'news', 'nEWS']],
  ])(
    'gives many %s that finish in the same moment an item each, also where there are no links',
    async (_, titles) => {
      const bench = await finalizeBench(memoryDisk({ hardLinks: false }));
      const recordings = titles.map((title, n) =>
        aRecording({ id: `0000000${n}`, spool: `/out/sports/${n}.partial.ts`, capsule: aCapsule({ title }) }),
      );
      for (const [n, { spool }] of recordings.entries())
        await writeSpool(bench.disk, spool, packets(2, n + 1));
      const outcomes = await Promise.all(recordings.map((recording) => bench.finalize(recording)));
      const media = outcomes.map((outcome) =>
        outcome.kind === 'published' ? outcome.files.media : outcome.kind,
      );
      expect(new Set(media).size).toBe(titles.length);
      for (const [n, path] of media.entries())
        expect(bench.disk.files(path).get(path)).toEqual(packets(2, n + 1));
      expect(bench.paths('/out')).toEqual([]);
    },
  );

  it.each([
    ['300 characters', 'Ein sehr langer Titel '.repeat(14)],
    ['emoji', '😀'.repeat(120)],
    ['only slashes', '/////'],
    ['only dots', '...'],
    ['Arabic', 'مباراة '.repeat(60)],
    ['control characters', 'a\u0000b\u001b[31mc\n\u202e'],
    ['a half of a pair', '\ud83d'],
    ['markup', '<title>&amp; "x"'],
  ])(
    'gives two airings of a title of %s on one day two items, on a disk with short names too',
    async (_, title) => {
      for (const nameMax of [255, 143]) {
        const disk = memoryDisk();
        disk.mount('/media', { nameMax });
        const bench = await finalizeBench(disk);
        for (const [n, startAt] of [START, START + 3 * 3_600_000].entries()) {
          const capsule = aCapsule({ title, startAt, stopAt: startAt + 3_600_000 });
          const recording = aRecording({ id: `0000000${n}`, spool: `/out/sports/${n}.partial.ts`, capsule });
          await writeSpool(disk, recording.spool, packets(2, n));
          expect((await bench.finalize(recording)).kind).toBe('published');
        }
        const paths = bench.paths('/media');
        expect(paths).toHaveLength(6);
        expect(new Set(paths.map((path) => path.split('/').slice(0, 4).join('/'))).size).toBe(2);
        for (const path of paths) {
          expect(path).toMatch(/^\/media\/sports\/([^/\p{C}]+)\/\1(\.ts|\.nfo|\.catchupd\.json)$/u);
          expect(path).toMatch(/2026-11-23-\d\d-30-UTC/);
        }
      }
    },
  );

  it('never enters the folder of a person', async () => {
    const bench = await finalizeBench();
    await writeSpool(bench.disk, `${FOLDER}/${NAME}.ts`, Buffer.from('mine'));
    const recording = aRecording();
    await writeSpool(bench.disk, recording.spool, packets(2));
    expect(await bench.finalize(recording)).toMatchObject({ files: { folder: `${FOLDER}-BBC-One` } });
    expect(bench.disk.files().get(`${FOLDER}/${NAME}.ts`)?.toString()).toBe('mine');
    expect(await bench.disk.readdir(FOLDER)).toEqual([`${NAME}.ts`]);
  });

  it('says empty where nothing was captured, and takes its own empty spool away', async () => {
    const bench = await finalizeBench();
    const recording = aRecording({ stretches: [], gaps: [], bytes: 0 });
    expect(await bench.finalize(recording)).toMatchObject({
      kind: 'empty',
      result: { outcome: 'empty', reason: 'nothing_came', coverage: 0, bytes: 0 },
    });
    await writeSpool(bench.disk, recording.spool, Buffer.alloc(0));
    expect(await bench.finalize(recording)).toMatchObject({ kind: 'empty' });
    expect(bench.paths('/out')).toEqual([]);
    expect(bench.paths('/media')).toEqual([]);
  });

  it('calls a file that does not begin as a transport stream damaged, and keeps it', async () => {
    const bench = await finalizeBench();
    const recording = aRecording();
    await writeSpool(bench.disk, recording.spool, Buffer.alloc(376));
    expect(await bench.finalize(recording)).toMatchObject({
      kind: 'published',
      result: { outcome: 'partial', reason: 'damaged' },
    });
  });

  it('cuts a long title, never the date', async () => {
    const bench = await finalizeBench();
    const recording = aRecording({ capsule: aCapsule({ title: 'Äther '.repeat(80) }) });
    await writeSpool(bench.disk, recording.spool, packets(2));
    const outcome = await bench.finalize(recording);
    const name = outcome.kind === 'published' ? outcome.files.ledger.split('/').at(-1) : '';
    expect(name).toMatch(/-2026-11-23-19-30-UTC\.catchupd\.json$/);
    expect(Buffer.byteLength(name ?? '')).toBeLessThanOrEqual(255);
  });
});

describe('finalizing where the disks differ', () => {
  it('copies to another file system, and the spool goes last', async () => {
    const disk = memoryDisk();
    disk.mount('/media');
    const bench = await finalizeBench(disk);
    const recording = aRecording();
    await writeSpool(disk, recording.spool, packets(20_000));
    expect(await bench.finalize(recording)).toMatchObject({ kind: 'published', files });
    expect(disk.files().get(files.media)?.equals(packets(20_000))).toBe(true);
    expect(bench.paths('/out')).toEqual([]);
    expect(bench.paths('/media').length).toBe(3);
  });

  it('renames where there are no hard links', async () => {
    const disk = memoryDisk({ hardLinks: false });
    const bench = await finalizeBench(disk);
    const recording = aRecording();
    await writeSpool(disk, recording.spool, packets(2));
    expect(await bench.finalize(recording)).toMatchObject({ kind: 'published', files });
    expect(bench.paths('/out')).toEqual([]);
    expect(bench.paths('/media').length).toBe(3);
  });

  it('takes shorter names where the file system wants them', async () => {
    const disk = memoryDisk();
    disk.mount('/media', { nameMax: 143 });
    const bench = await finalizeBench(disk);
    const recording = aRecording({ capsule: aCapsule({ title: 'A very long title '.repeat(20) }) });
    await writeSpool(disk, recording.spool, packets(2));
    const outcome = await bench.finalize(recording);
    const name = outcome.kind === 'published' ? (outcome.files.ledger.split('/').at(-1) ?? '') : '';
    expect(name).toMatch(/-2026-11-23-19-30-UTC\.catchupd\.json$/);
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(143);
  });

  it('waits for a missing mount and touches nothing', async () => {
    const disk = memoryDisk();
    disk.mount('/media');
    const bench = await finalizeBench(disk);
    const recording = aRecording();
    await writeSpool(disk, recording.spool, packets(2));
    disk.unmount('/media');
    expect(await bench.finalize(recording)).toMatchObject({
      kind: 'blocked',
      code: 'mount_missing',
      path: '/media',
    });
    expect([...disk.files('/media').keys()]).toEqual([]);
    disk.mount('/media');
    expect(await bench.finalize(recording)).toMatchObject({ kind: 'published' });
  });

  it('waits for another disk to be the right one', async () => {
    const bench = await finalizeBench();
    const recording = aRecording();
    await writeSpool(bench.disk, recording.spool, packets(2));
    expect(await bench.finalize(recording, { ...PUBLISH, uuid: 'other' })).toMatchObject({
      kind: 'blocked',
      code: 'root_foreign',
    });
  });

  it('waits for a full disk, keeps the spool, and goes on where there is room again', async () => {
    const disk = memoryDisk();
    disk.mount('/media', { bytes: 10_000 });
    const bench = await finalizeBench(disk);
    const recording = aRecording();
    await writeSpool(disk, recording.spool, packets(100));
    expect(await bench.finalize(recording)).toMatchObject({
      kind: 'blocked',
      code: 'disk_full',
      path: '/media',
    });
    expect(disk.files().get(recording.spool)?.equals(packets(100))).toBe(true);
    expect(bench.paths('/media').filter((path) => /\.(ts|tmp)$/.test(path))).toEqual([]);
    disk.resize('/media', 100_000);
    expect(await bench.finalize(recording)).toMatchObject({ kind: 'published' });
  });

  it.each([
    ['EROFS', 'folder_unwritable'],
    ['EACCES', 'folder_unwritable'],
    ['EIO', 'disk_error'],
  ])('says what %s means', async (errno, code) => {
    const bench = await finalizeBench();
    const recording = aRecording();
    await writeSpool(bench.disk, recording.spool, packets(2));
    bench.disk.fault = (operation) => (operation === 'mkdir' ? errno : null);
    expect(await bench.finalize(recording)).toMatchObject({ kind: 'blocked', code });
  });
});

describe('sealing', () => {
  it('names what a cancelled recording left in place, with its ledger, and publishes nothing', async () => {
    const bench = await finalizeBench();
    const recording = aRecording({
      cancelReason: 'by hand',
      stretches: [
        {
          source: { source: 'm3u-1', channel: 'bbc1', index: 0 },
          fromAt: START,
          toAt: START + 60_000,
          bytes: 376,
          firstOffset: 0,
        },
      ],
    });
    await writeSpool(bench.disk, recording.spool, packets(2));
    const outcome = await bench.seal(recording);
    expect(outcome).toMatchObject({
      kind: 'sealed',
      files: { media: recording.spool.replace('.partial', ''), ownsFolder: false },
      result: { outcome: 'partial', reason: 'cancelled' },
    });
    expect(bench.paths('/media')).toEqual([]);
    expect(await bench.seal(recording)).toEqual(outcome);
  });

  it('has no files where nothing was captured', async () => {
    const bench = await finalizeBench();
    const recording = aRecording({ stretches: [], attempts: 0, waiting: 'slots_full' });
    expect(await bench.seal(recording)).toMatchObject({
      kind: 'sealed',
      files: null,
      result: { outcome: 'missed', reason: 'slots_full' },
    });
  });

  it('never overwrites media of another that has the same name', async () => {
    const bench = await finalizeBench();
    const recording = aRecording();
    const there = recording.spool.replace('.partial', '');
    await writeSpool(bench.disk, there, Buffer.from('mine'));
    await writeSpool(bench.disk, recording.spool, packets(2));
    const outcome = await bench.seal(recording);
    expect(outcome).toMatchObject({ kind: 'sealed' });
    expect(bench.disk.files().get(there)?.toString()).toBe('mine');
    expect(bench.paths('/out').filter((path) => path.endsWith('.ts')).length).toBe(2);
  });
});

describe('a crash while finalizing', () => {
  it.each([
    ['on one file system', {}, false],
    ['between two', {}, true],
    ['without hard links', { hardLinks: false }, false],
  ])(
    'at any disk operation %s is finished by the next run: one item, one name, every byte',
    async (_, options, mounted) => {
      const recording = aRecording();
      for (let steps = 0; ; steps += 1) {
        const disk = memoryDisk(options);
        if (mounted) disk.mount('/media');
        const bench = await finalizeBench(disk);
        await writeSpool(disk, recording.spool, packets(50));
        const spool = await disk.open(recording.spool, 'append');
        await spool.datasync();
        await spool.close();
        for (const folder of ['/', '/out', '/out/sports', '/media']) await disk.syncFolder(folder);
        let left = steps;
        disk.fault = () => (left-- > 0 ? null : 'EIO');
        const first = await bench.finalize(recording);
        expect(disk.openFiles()).toBe(0);
        disk.fault = () => null;
        disk.crash();
        const second = await bench.finalize(recording);
        expect(second).toMatchObject({ kind: 'published', files });
        expect(bench.paths('/out')).toEqual([]);
        expect(bench.paths('/media').toSorted()).toEqual([files.ledger, files.nfo, files.media].toSorted());
        expect(disk.files().get(files.media)?.equals(packets(50))).toBe(true);
        if (first.kind === 'published') break;
        expect(steps).toBeLessThan(200);
      }
    },
  );

  it('never shows media before its nfo and ledger, nor a part of it', async () => {
    const disk = memoryDisk();
    disk.mount('/media');
    const bench = await finalizeBench(disk);
    const recording = aRecording();
    await writeSpool(disk, recording.spool, packets(50));
    disk.fault = () => {
      const media = disk.files().get(files.media);
      if (media) {
        expect(media.length).toBe(50 * 188);
        expect(disk.files().has(files.nfo) && disk.files().has(files.ledger)).toBe(true);
      }
      return null;
    };
    expect(await bench.finalize(recording)).toMatchObject({ kind: 'published' });
  });
});

it('keeps both roots in mind: without out-dir there is no spool to trust', async () => {
  const bench = await finalizeBench();
  await bench.disk.unlink(`${OUT.path}/.catchupd-root`);
  expect(await bench.finalize(aRecording())).toMatchObject({
    kind: 'blocked',
    code: 'mount_missing',
    path: '/out',
  });
});
