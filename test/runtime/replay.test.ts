import { expect, it } from 'vitest';

import { storyOf, type Story } from '../../src/runtime/replay.js';
import { readHistory } from '../../src/store/historyFiles.js';
import { createDaemonWorld, HOUR_MS, type DaemonWorld } from '../sim/daemonWorld.js';

const FOLDER = '/rec/.catchupd/history';
const LONG_MS = 60_000;

async function stories(world: DaemonWorld): Promise<{ told: Map<string, Story>; lost: string[] }> {
  const { entries, damage } = await readHistory(world.disk, FOLDER);
  const stored = world.daemon().store.recordings();
  const ids = new Set([...stored.keys(), ...entries.map(({ id }) => id)]);
  const told = new Map(
    [...ids].map((id) => {
      const own = entries.filter((entry) => entry.id === id);
      return [id, storyOf(id, own, stored.get(id), damage.length > 0)];
    }),
  );
  return { told, lost: damage.map(({ what }) => what) };
}

const verdicts = (told: ReadonlyMap<string, Story>) => [
  ...new Set([...told.values()].map(({ verdict }) => verdict)),
];

it(
  'tells every life to the state that is stored, over restarts, and says what damage takes away',
  async () => {
    const world = await createDaemonWorld({
      seed: 7,
      channels: 6,
      forMs: 8 * HOUR_MS,
      options: { keep: 'sports=1h,movies=1h,general=1h' },
    });
    await world.boot();
    await world.clock.run(1.5 * HOUR_MS);
    await world.stop();
    await world.clock.run(10_000);
    await world.boot();
    await world.clock.run(1.5 * HOUR_MS);

    const { told, lost } = await stories(world);
    expect(lost).toEqual([]);
    expect(verdicts(told).toSorted()).toEqual(['gone', 'same']);
    const gone = [...told.values()].find(({ verdict }) => verdict === 'gone');
    const path = gone?.steps.map(({ to }) => to);
    expect(path).toEqual(expect.arrayContaining(['spooling.open', 'finalizing.working', 'published']));
    expect(path?.at(-1)).toBe('expired.gone');
    const interrupted = [...told.values()].find(({ steps }) =>
      steps.some(({ gaps }) => gaps.some(({ cause }) => cause === 'restart')),
    );
    expect(interrupted?.steps.filter(({ event }) => event === 'BASELINE')).toHaveLength(2);
    expect(interrupted?.steps.some(({ source }) => source !== null)).toBe(true);

    // A story that is not the stored one is called that.
    const [id, story] = [...told].find(([, { verdict }]) => verdict === 'same') ?? [];
    const document = world
      .daemon()
      .store.recordings()
      .get(id ?? '');
    if (!id || !document || !story?.recording) throw new Error('nothing is stored');
    const { entries } = await readHistory(world.disk, FOLDER, id);
    const snapshot = { ...(document.snapshot as object), context: { ...story.recording, priority: 99 } };
    expect(storyOf(id, entries, { ...document, snapshot }, false)).toMatchObject({
      verdict: 'differs',
      differences: ['priority'],
    });
    // A kill between history and journal leaves the history ahead.
    const ahead = [...entries, { ...entries.at(-1), seq: 1e9, rev: document.rev + 1 } as never];
    expect(storyOf(id, ahead, document, false).verdict).toBe('same');
    expect(storyOf(id, entries.slice(0, -2), document, false).verdict).not.toBe('differs');
    expect(storyOf(id, [], document, false).verdict).toBe('no_history');
    const other = entries.map((entry) => ({ ...entry, chart: 'recording/0' }));
    expect(storyOf(id, other, document, false).verdict).toBe('other_chart');

    // A power cut may take what the history told last, and what is left tells nothing wrong.
    const { entries: all } = await readHistory(world.disk, FOLDER);
    for (const [each, { verdict }] of told) {
      if (verdict !== 'same') continue;
      const own = all.filter((entry) => entry.id === each);
      const beginnings = [1, 2, 3, 4, 5, 6].map((lost) => own.slice(0, -lost));
      const shorter = beginnings.map((part) =>
        storyOf(each, part, world.daemon().store.recordings().get(each), false),
      );
      expect(shorter.map((one) => one.verdict)).not.toContain('differs');
    }

    // Any byte: nothing is told wrongly, and the loss is said.
    const [file = ''] = await world.disk.readdir(FOLDER);
    const bytes = world.disk.files().get(`${FOLDER}/${file}`) ?? Buffer.alloc(0);
    world.disk.corrupt(`${FOLDER}/${file}`, Math.floor(bytes.length / 2), 0x21);
    const after = await stories(world);
    expect(after.lost).toHaveLength(1);
    expect(verdicts(after.told)).not.toContain('differs');
    await world.stop();
  },
  LONG_MS,
);
