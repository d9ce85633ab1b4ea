/** What a guide does to what is being recorded: longer is followed, nonsense changes nothing but a warning. */

import { describe, expect, it } from 'vitest';
import { createDaemonWorld, type DaemonWorld } from '../sim/daemonWorld.js';

const MINUTE_MS = 60_000;
const GUIDE = '/guides/guide.xml';

interface Row {
  readonly title: string;
  /** Minutes from the start of the world. */
  readonly from: number;
  readonly to: number;
  readonly channel?: number;
}

function stamp(at: number): string {
  return `${new Date(at).toISOString().replace(/[-:T]/g, '').slice(0, 14)} +0000`;
}

function text(world: DaemonWorld, rows: readonly Row[]): string {
  const heads = world.provider.channels.map(
    ({ tvgId, name }) => `<channel id="${tvgId}"><display-name>${name}</display-name></channel>`,
  );
  const programmes = rows.map(({ title, from, to, channel = 1 }) => {
    const times = [from, to].map((minutes) => stamp(world.startAt + minutes * MINUTE_MS));
    return `<programme channel="channel-${channel}.test" start="${times[0]}" stop="${times[1]}"><title>${title}</title></programme>`;
  });
  return `<tv>${heads.join('')}${programmes.join('\n')}</tv>`;
}

async function write(world: DaemonWorld, guide: string): Promise<void> {
  await world.disk.mkdir('/guides');
  if (world.disk.sizes('/guides').has(GUIDE)) await world.disk.unlink(GUIDE);
  const file = await world.disk.open(GUIDE, 'create');
  await file.write([Buffer.from(guide)]);
  await file.close();
}

/** Fillers far ahead, so that a gate has something to count and a shift something to compare. */
const FAR = Array.from({ length: 20 }, (_, i) => ({
  title: `Far ${i}`,
  from: 600 + i * 30,
  to: 630 + i * 30,
}));
const SHOW = { title: 'Show', from: 2, to: 12 };

async function recording(): Promise<DaemonWorld> {
  const options = { xmltv: GUIDE, keep: 'general=0' };
  const world = await createDaemonWorld({ seed: 3, channels: 2, options });
  await write(world, text(world, [SHOW, { title: 'Later', from: 30, to: 40 }, ...FAR]));
  await world.boot();
  await world.clock.run(6 * MINUTE_MS);
  return world;
}

function entry(world: DaemonWorld, title: string) {
  return [...world.daemon().book.all()].find(({ recording: { capsule } }) => capsule.title === title);
}

describe('a running recording', () => {
  it('runs on when its programme is extended, into the same file', async () => {
    const world = await recording();
    expect(entry(world, 'Show')?.path).toMatch(/^spooling/);
    await write(world, text(world, [{ ...SHOW, to: 20 }, { title: 'Later', from: 30, to: 40 }, ...FAR]));
    await world.clock.run(19 * MINUTE_MS);
    const shows = [...world.daemon().book.all()].filter(
      ({ recording: { capsule } }) => capsule.title === 'Show',
    );
    const stopAt = world.startAt + 20 * MINUTE_MS;
    expect(shows).toMatchObject([{ path: 'published', recording: { attempts: 1, window: { stopAt } } }]);
    expect(shows[0]?.recording.stretches.map(({ toAt }) => toAt >= stopAt)).toEqual([true]);
    await world.stop();
  });

  it.each<[string, string, (world: DaemonWorld) => string]>([
    ['empty', 'empty', (world) => text(world, [])],
    ['halved', 'halved', (world) => text(world, FAR.slice(0, 5))],
    [
      'shifted by an hour',
      'shifted',
      (world) =>
        text(
          world,
          [SHOW, { title: 'Later', from: 30, to: 40 }, ...FAR].map((row) => ({
            ...row,
            from: row.from + 60,
            to: row.to + 60,
          })),
        ),
    ],
    [
      'broken off',
      'partial',
      (world) => text(world, [{ title: 'Other', from: 2, to: 12 }, ...FAR]).slice(0, -300),
    ],
    ['no guide at all', 'guide_not_xmltv', () => '<html>Service unavailable</html>'],
  ])(
    'and what is scheduled stay as they are when the guide is %s, and it is said',
    async (_, word, guide) => {
      const world = await recording();
      const before = ['Show', 'Later'].map((title) => entry(world, title)?.recording.window);
      await write(world, guide(world));
      await world.clock.run(2 * MINUTE_MS);
      expect(['Show', 'Later'].map((title) => entry(world, title)?.recording.window)).toEqual(before);
      expect(entry(world, 'Show')?.path).toMatch(/^spooling/);
      expect(entry(world, 'Later')?.path).toMatch(/^scheduled/);
      const warnings = world.lines.filter(({ level }) => level === 'warn');
      expect(warnings.map(({ reason, code }) => reason ?? code)).toContain(word);
      await world.stop();
    },
  );
});
