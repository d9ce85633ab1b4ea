/**
 * What a person was told is done is done, whatever becomes of the process at that moment: an answer comes after its
 * record on disk, in every state of a recording, and also to whoever asks for the same once more (P7).
 */
import { beforeAll, describe, expect, it } from 'vitest';

import { COMMAND_VERBS, judgeCommand, type CommandVerb } from '../../src/domain/commands.js';
import { CodedError } from '../../src/domain/errors.js';
import type { Daemon } from '../../src/runtime/daemon.js';
import type { Entry } from '../../src/runtime/entries.js';
import { createDaemonWorld, HOUR_MS, type DaemonWorld } from '../sim/daemonWorld.js';
import { layDown } from './foundDisk.js';

const LONG_MS = 120_000;
const LIVED_MS = 1.5 * HOUR_MS;
const SYNC_MS = 900;

/** When they are asked about. */
let askedAt: number;
let files: ReadonlyMap<string, Buffer>;
/** One recording of each state that there is. */
let examples: readonly Pick<Entry, 'id' | 'path' | 'recording'>[];

const worldOf = () =>
  createDaemonWorld({
    seed: 7,
    channels: 4,
    slots: 3,
    forMs: 4 * HOUR_MS,
    options: { keep: 'sports=30m,movies=2h,general=2h' },
  });

async function booted(content: ReadonlyMap<string, Buffer>): Promise<DaemonWorld> {
  const world = await worldOf();
  await layDown(world.disk, content);
  await world.clock.run(LIVED_MS);
  await world.boot();
  await world.clock.run(20_000);
  return world;
}

beforeAll(async () => {
  const world = await worldOf();
  await world.boot();
  await world.clock.run(LIVED_MS - 60_000);
  const daemon = world.daemon();
  const entries = () => [...daemon.book.all()];
  const [during] = entries()
    .filter(({ path }) => path === 'spooling.open')
    .toSorted((one, other) => other.recording.window.stopAt - one.recording.window.stopAt);
  await world.clock.until(daemon.command('cancel', during?.id ?? ''));
  const kept = entries().find(({ path }) => path === 'published');
  await world.clock.until(daemon.command('keep', kept?.id ?? ''));
  await world.clock.run(60_000);
  await world.stop();
  files = world.disk.files();
  const again = await booted(files);
  const found = new Map<string, (typeof examples)[number]>();
  for (const { id, path, recording } of again.daemon().book.all())
    if (!found.has(path)) found.set(path, { id, path, recording });
  examples = [...found.values()];
  askedAt = again.clock.now();
  await again.stop();
}, LONG_MS);

/** Asks, is answered, dies of a power cut in that moment, and lives again. */
async function answeredAndKilled(ask: (daemon: Daemon) => Promise<unknown>): Promise<DaemonWorld | null> {
  const world = await booted(files);
  world.disk.latency = (operation) =>
    operation === 'datasync' ? new Promise((resolve) => world.clock.after(SYNC_MS, () => resolve())) : null;
  const answered = ask(world.daemon()).then(
    () => {
      world.kill();
      return true;
    },
    () => false,
  );
  if (!(await world.clock.until(answered))) return null;
  world.disk.latency = () => null;
  world.disk.crash();
  await world.boot();
  return world;
}

const twice = (ask: (daemon: Daemon) => Promise<unknown>) => (daemon: Daemon) => {
  void ask(daemon).catch(() => undefined);
  return ask(daemon);
};

describe('an answer', { timeout: LONG_MS }, () => {
  it('there are recordings in many states to ask about', () => {
    expect(examples.map(({ path }) => path).toSorted()).toEqual(
      expect.arrayContaining(['cancelled.revocable', 'published', 'scheduled.early', 'spooling.open']),
    );
  });

  it.each(COMMAND_VERBS)('to %s is kept, given once or twice, in every state', async (verb: CommandVerb) => {
    let asked = 0;
    const wrong: string[] = [];
    for (const { id, path, recording } of examples) {
      const before = judgeCommand(verb, recording, path, askedAt);
      for (const times of before.kind === 'send' ? [1, 2] : []) {
        const ask = (daemon: Daemon) => daemon.command(verb, id);
        const world = await answeredAndKilled(times === 1 ? ask : twice(ask));
        if (!world) continue;
        asked += 1;
        const { book, store } = world.daemon();
        const entry = book.get(id);
        const isDone = entry
          ? judgeCommand(verb, entry.recording, entry.path, world.clock.now()).kind === 'done'
          : verb === 'delete' && store.tombstones().has(id);
        if (!isDone) wrong.push(`${path}, asked ${times} times, is ${entry?.path ?? 'gone'}`);
        await world.stop();
      }
    }
    expect(wrong).toEqual([]);
    expect(asked).toBeGreaterThan(1);
  });

  it('to a word on a programme is kept, and with it what the recording was told', async () => {
    const wrong: string[] = [];
    for (const { id, path, recording } of examples)
      for (const word of ['want', 'skip'] as const) {
        const { capsuleId } = recording.capsule;
        const world = await answeredAndKilled((daemon) => daemon.override(capsuleId, word));
        if (!world) continue;
        const { book, store } = world.daemon();
        if (store.all('overrides').get(capsuleId)?.word !== word) wrong.push(`${path}, ${word}: forgotten`);
        if (word === 'want' && path.endsWith('.revocable') && book.get(id)?.path === path)
          wrong.push(`${path}, ${word}: not taken up`);
        await world.stop();
      }
    expect(wrong).toEqual([]);
  });

  it('is a refusal where nothing can be written, and nothing is done', async () => {
    const world = await booted(files);
    world.disk.fault = (operation) => (operation === 'datasync' ? 'EIO' : null);
    await world.clock.run(120_000);
    const daemon = world.daemon();
    const { id, recording } = examples.find(({ path }) => path === 'scheduled.early') ?? {};
    const codeOf = (task: Promise<unknown>) =>
      world.clock.until(
        task.then(
          () => 'done',
          (error: unknown) => (error instanceof CodedError ? error.code : String(error)),
        ),
      );
    expect(await codeOf(daemon.command('keep', id ?? ''))).toBe('state_unwritable');
    expect(await codeOf(daemon.override(recording?.capsule.capsuleId ?? '', 'skip'))).toBe(
      'state_unwritable',
    );
    expect(daemon.store.all('overrides').size).toBe(0);
    world.disk.fault = () => null;
    await world.stop();
  });
});
