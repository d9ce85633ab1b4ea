/**
 * What lies beside base and journal damaged, one file at a time, under the whole daemon: it starts, it knows every
 * recording and tombstone and word that it knew, nothing of the library is touched, and it goes on to record.
 * `CATCHUPD_DAMAGE=4` hits so many places of each, `all` every byte and every length; else one. `test/store/storeDamage.test.ts` has the state.
 */
import { beforeAll, describe, expect, it } from 'vitest';

import { seededRandom } from '../../src/io/random.js';
import { createDaemonWorld, HOUR_MS, type DaemonWorld } from '../sim/daemonWorld.js';
import { layDown } from './foundDisk.js';

type Files = ReadonlyMap<string, Buffer>;

const ASKED = process.env['CATCHUPD_DAMAGE'] ?? '';
const ALL = ASKED === 'all';
const SEED = 31;
const LIVED_MS = 1.2 * HOUR_MS;
const AFTER_MS = 40_000;
/** Of each file and kind in a sample, at even distances. */
const HITS = ASKED === '' ? 1 : Number(ASKED);
const STATE = /\/recorder-state\./;
/** What a byte becomes: one bit another, the end of a line, no UTF-8. */
const CHANGES: readonly ((byte: number) => number)[] = [(byte) => byte ^ 1, () => 0x0a, () => 0xff];

/** Null is nothing at all. */
const SHAPES = ['', '\0'.repeat(500), 'null', '{"a":[1]}', null] as const;

let files: Files;
let whole: ReturnType<typeof known>;

const worldOf = () =>
  createDaemonWorld({
    seed: SEED,
    channels: 3,
    onAir: 0.8,
    slots: 2,
    forMs: 6 * HOUR_MS,
    options: { keep: 'sports=2h,movies=2h,general=2h' },
  });

/** What a state knows, and what of it must not change by itself. */
function known(world: DaemonWorld) {
  const { book, store } = world.daemon();
  const lasting = [...book.all()].filter(({ path }) => !path.startsWith('scheduled'));
  return {
    recordings: lasting.map(({ id }) => id).toSorted(),
    aside: book.quarantined().map(({ id }) => id),
    tombstones: [...store.tombstones().keys()].toSorted(),
    overrides: [...store.all('overrides').keys()].toSorted(),
  };
}

beforeAll(async () => {
  const world = await worldOf();
  await world.boot();
  await world.stop();
  // The second life has another number than the one that finds its lock.
  const daemon = await world.boot();
  await world.clock.run(LIVED_MS);
  const decision = world.outlook().decisions.at(-1);
  if (decision) await world.clock.until(daemon.override(decision.capsule.capsuleId, 'want'));
  whole = known(world);
  // As after a power cut that came after everything was written: lock and heartbeat lie there.
  await world.clock.run(1_000);
  world.kill();
  files = new Map([...world.disk.files()].filter(([path]) => !path.endsWith('/reserve')));
});

async function booted(content: Files): Promise<DaemonWorld> {
  const world = await worldOf();
  await layDown(world.disk, content);
  await world.clock.run(LIVED_MS + 2_000);
  await world.boot();
  return world;
}

/** Files with a checksum: no byte of them changes, and no list is cut, without being told. */
function isTold(path: string, kind: 'changed' | 'cut'): boolean {
  return path.endsWith('/sources.json') || (path.includes('/history/') && kind === 'changed');
}

/** What is wrong after a start with these files; '' for nothing. `told`: the file whose damage must be in the log. */
async function judged(content: Files, told = ''): Promise<string> {
  const world = await booted(content);
  const found = known(world);
  await world.clock.run(AFTER_MS);
  const wrong: string[] = [];
  const damage = world.lines.filter(
    ({ level, path, msg }) => level === 'error' && path && /damaged/.test(msg),
  );
  if (told !== '' && !damage.some(({ path }) => path === told)) wrong.push('it is not told');
  for (const name of ['recordings', 'aside', 'tombstones', 'overrides'] as const)
    if (JSON.stringify(found[name]) !== JSON.stringify(whole[name]))
      wrong.push(
        `${name} are others: ${JSON.stringify(whole[name].filter((one) => !found[name].includes(one)))} became ${JSON.stringify(found[name].filter((one) => !whole[name].includes(one)))}`,
      );
  const left = world.disk.files('/library');
  for (const path of content.keys())
    if (path.startsWith('/library') && !left.has(path)) wrong.push(`${path} is gone`);
  const bugs = world.lines.filter(({ msg, code }) => code === 'bug' || /failed|threw/.test(msg));
  wrong.push(...bugs.map(({ msg, ...facts }) => `${msg} ${JSON.stringify(facts)}`));
  if (world.daemon().sources.guides().length === 0) wrong.push('no guide is in use');
  await world.stop();
  return wrong.join('; ');
}

/** Everything that this program reads again, but for the state itself and the media. */
function beside(): string[] {
  return [...files.keys()].filter((path) => !STATE.test(path) && !/\.(?:ts|nfo)$/.test(path)).toSorted();
}

function* places(path: string, bytes: Buffer): Generator<number> {
  if (ALL) yield* bytes.keys();
  else {
    // The first place is another one for each file, so that not all are hit at their ends.
    const first = seededRandom(path.length * 7919 + bytes.length).fraction();
    for (let hit = 0; hit < Math.min(HITS, bytes.length); hit += 1)
      yield Math.floor(((hit + first) / Math.min(HITS, bytes.length)) * bytes.length);
  }
}

async function eachOf(
  path: string,
  kind: 'changed' | 'cut',
  damage: (bytes: Buffer, at: number) => readonly Buffer[],
): Promise<void> {
  const bytes = files.get(path) ?? Buffer.alloc(0);
  const wrong: string[] = [];
  for (const at of places(path, bytes))
    for (const hit of damage(bytes, at)) {
      if (hit.equals(bytes)) continue;
      const told = isTold(path, kind) ? path : '';
      const said = await judged(new Map([...files, [path, hit]]), told).catch((error: unknown) =>
        String(error),
      );
      if (said !== '') wrong.push(`${path} at ${at}, ${hit.length} bytes, ${hit[at]}: ${said}`);
    }
  expect(wrong.slice(0, 10)).toEqual([]);
}

describe('a daemon', { timeout: ALL ? 360_000_000 : 3_600_000 }, () => {
  it('starts with its files as they were, and knows what it knew', async () => {
    expect(whole.recordings.length).toBeGreaterThan(3);
    expect(whole.overrides.length).toBeGreaterThan(0);
    expect(beside().map((path) => path.replace(/^.*\//, ''))).toEqual(
      expect.arrayContaining(['lock', 'heartbeat', 'sources.json', '.catchupd-root']),
    );
    expect(await judged(files)).toBe('');
  });

  it('starts with any byte of what lies beside the state changed', async () => {
    for (const path of beside())
      await eachOf(path, 'changed', (bytes, at) =>
        CHANGES.flatMap((change) => {
          const other = Buffer.from(bytes);
          other[at] = change(bytes[at] ?? 0);
          return [other];
        }),
      );
  });

  it('starts with any file beside the state cut anywhere', async () => {
    for (const path of beside()) await eachOf(path, 'cut', (bytes, at) => [bytes.subarray(0, at)]);
  });

  it('starts with any of them empty, full of zeros, other JSON, or gone', async () => {
    const wrong: string[] = [];
    for (const [index, path] of beside().entries())
      for (const hit of ALL ? SHAPES : SHAPES.slice(index % SHAPES.length).slice(0, 1)) {
        const content = new Map([...files].filter(([name]) => name !== path || hit !== null));
        if (hit !== null) content.set(path, Buffer.from(hit));
        const said = await judged(content).catch((error: unknown) => String(error));
        if (said !== '') wrong.push(`${path} as ${hit ?? 'nothing'}: ${said}`);
      }
    expect(wrong).toEqual([]);
  });

  it('puts aside what its only base says of a recording in words that are none, and starts', async () => {
    const world = await booted(files);
    const documents = [...world.daemon().store.recordings().values()];
    await world.stop();
    for (const name of [
      'context',
      'value',
      'status',
      'snapshot',
      'files',
      'window',
      'capsule',
      'title',
      'startAt',
      'result',
      'stretches',
      'keys',
      'bytes',
      'spool',
    ]) {
      const rows = documents.map((document) => [
        document.id,
        JSON.parse(JSON.stringify(document).replace(`"${name}":`, `"${name.slice(1)}":`)) as unknown,
      ]);
      const state = JSON.stringify({ version: 1, rev: 1, recordings: Object.fromEntries(rows) });
      const again = await booted(
        new Map([
          ...[...files].filter(([path]) => !STATE.test(path)),
          ['/rec/recorder-state.json', Buffer.from(state)],
        ]),
      );
      const { book } = again.daemon();
      const there = [...book.all()].map(({ id }) => id);
      const found = [...there, ...book.quarantined().map(({ id }) => id)];
      const lost = documents.filter(({ id }) => !found.includes(id)).map(({ id }) => id);
      expect({ name, lost }).toEqual({ name, lost: [] });
      await again.clock.run(AFTER_MS);
      expect(again.isRunning()).toBe(true);
      await again.stop();
    }
  });

  it('goes on with a recording of which its only base has one name or time wrong', async () => {
    const world = await booted(files);
    const { book, store } = world.daemon();
    const documents = [...store.recordings().values()];
    const running = [...book.all()].find(({ path }) => /^(spooling|retrying)/.test(path))?.id ?? '';
    await world.stop();
    const other = running.replace(/^./, (digit) => (digit === 'a' ? 'b' : 'a'));
    const damages: Readonly<Record<string, (text: string) => string>> = {
      key: (text) => text.replace(`"${running}":{"v"`, `"${other}":{"v"`),
      id: (text) => text.replace(`"id":"${running}","rev"`, `"id":"${other}","rev"`),
      'id of the chart': (text) => text.replace(`"context":{"id":"${running}"`, `"context":{"id":"${other}"`),
      'time, far ahead': (text) => text.replace(/("rev":\d+,"updatedAt":)\d/, '$19'),
      'time, none': (text) => text.replace('"updatedAt":', '"updatedBt":'),
    };
    const whole = JSON.stringify({
      version: 1,
      rev: 1,
      recordings: Object.fromEntries(documents.map((document) => [document.id, document])),
    });
    for (const [name, damage] of Object.entries(damages)) {
      expect([name, damage(whole) === whole]).toEqual([name, false]);
      const again = await booted(
        new Map([
          ...[...files].filter(([path]) => !STATE.test(path)),
          ['/rec/recorder-state.json', Buffer.from(damage(whole))],
        ]),
      );
      await again.clock.run(AFTER_MS);
      const ids = [...again.daemon().store.recordings().keys()];
      expect([name, ids.includes(running), ids.includes(other)]).toEqual([name, true, false]);
      expect([name, again.daemon().book.get(running)?.path]).toEqual([name, 'spooling.open']);
      expect(again.lines.filter(({ code }) => code === 'clock_doubtful')).toEqual([]);
      await again.stop();
    }
  });
});
