/** What a guide does to what is being recorded: longer is followed, nonsense changes nothing but a warning. */

import { describe, expect, it } from 'vitest';
import { withPast } from '../../src/runtime/decisionsView.js';
import { pastDecisions } from '../../src/runtime/pastGuide.js';
import { createDaemonWorld, type DaemonWorld } from '../sim/daemonWorld.js';
import { entry, GUIDE, MINUTE_MS, text, write } from './guideWorld.js';

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
      const held = [...world.daemon().store.all('held').values()];
      expect(held).toEqual(
        word === 'guide_not_xmltv' ? [] : [{ source: GUIDE, reason: word, since: expect.any(Number) }],
      );
      await write(world, text(world, [SHOW, { title: 'Later', from: 30, to: 40 }, ...FAR]));
      await world.clock.run(2 * MINUTE_MS);
      expect(world.daemon().store.all('held').size).toBe(0);
      await world.stop();
    },
  );
});

/** What every recording is of, as far as it has come, in the order of start. */
function told(world: DaemonWorld): string[] {
  return [...world.daemon().book.all()]
    .filter(({ recording: { capsule } }) => !capsule.title.startsWith('Far'))
    .toSorted((a, b) => a.recording.window.startAt - b.recording.window.startAt)
    .map(({ path, recording: { capsule, window, result } }) => {
      const minutes = [window.startAt, window.stopAt].map((at) => (at - world.startAt) / MINUTE_MS);
      return `${capsule.title} ${minutes.join('-')} ${path.split('.')[0]} ${result?.outcome ?? ''}`.trim();
    });
}

describe('programmes that the guide cuts anew while they run', () => {
  it('are split into what they are called now, without a second of them missing', async () => {
    const world = await recording();
    const parts = [
      { title: 'Show: one', from: 2, to: 9 },
      { title: 'Show: two', from: 9, to: 12 },
    ];
    await write(world, text(world, [...parts, { title: 'Later', from: 30, to: 40 }, ...FAR]));
    await world.clock.run(12 * MINUTE_MS);
    expect(told(world)).toEqual([
      'Show: one 2-9 published complete',
      'Show: two 9-12 published complete',
      'Later 30-40 scheduled',
    ]);
    await world.stop();
  });

  it('are merged into the one that runs, and what came after it is no second recording', async () => {
    const world = await recording();
    await write(world, text(world, [SHOW, { title: 'After', from: 12, to: 18 }, ...FAR]));
    await world.clock.run(2 * MINUTE_MS);
    await write(world, text(world, [{ title: 'Show and After', from: 2, to: 18 }, ...FAR]));
    await world.clock.run(14 * MINUTE_MS);
    expect(told(world).filter((line) => !/Later|cancelled/.test(line))).toEqual([
      'Show and After 2-18 published complete',
    ]);
    await world.stop();
  });
});

describe('a night in which an hour comes twice, in a guide without offsets', () => {
  it('is recorded as it is on, each programme once and for as long as it lasts', async () => {
    const options = { xmltv: GUIDE, keep: 'general=0', 'guide-timezone': 'Europe/Berlin' };
    const startAt = Date.UTC(2026, 9, 25, 0, 0);
    const world = await createDaemonWorld({ seed: 3, channels: 1, startAt, options });
    const times = ['0210', '0240', '0215', '0240', '0310'];
    const rows = times.slice(1).map((stop, i) => {
      const title = i % 2 === 0 ? 'Night' : 'Music';
      return `<programme channel="channel-1.test" start="20261025${times[i]}00" stop="20261025${stop}00"><title>${title}</title></programme>`;
    });
    const channel = '<channel id="channel-1.test"><display-name>Channel 1</display-name></channel>';
    await write(world, `<tv>${channel}${rows.join('')}</tv>`);
    await world.boot();
    await world.clock.run(135 * MINUTE_MS);
    expect(told(world)).toEqual([
      'Night 10-40 published complete',
      'Music 40-75 published complete',
      'Night 75-100 published complete',
      'Music 100-130 published complete',
    ]);
    const media = [...world.disk.files('/library').keys()].filter((path) => path.endsWith('.ts'));
    expect(media).toHaveLength(4);
    await world.stop();
  });
});

describe('a programme that is over and gone from the guide', () => {
  it('is still known with what was decided about it, as long as there are recordings of its time', async () => {
    const options = { xmltv: GUIDE, keep: 'general=0', 'exclude-lanes': 'sports' };
    const world = await createDaemonWorld({ seed: 3, channels: 2, options });
    const match = { title: 'a vs b', from: 2, to: 12, channel: 2 };
    await write(world, text(world, [SHOW, match, ...FAR]));
    await world.boot();
    await world.clock.run(20 * MINUTE_MS);
    await write(world, text(world, FAR));
    await world.clock.run(10 * MINUTE_MS);
    const why = async (query: string) =>
      (await pastDecisions(world.disk, '/rec/.catchupd', query)).map(
        ({ reason, capsule }) => `${capsule.title} on ${capsule.channelName}: ${reason}`,
      );
    expect(await why('A VS')).toEqual(['a vs b on Channel 2 HD: lane_excluded']);
    expect(await why('show')).toEqual(['Show on Channel 1: already_recording']);
    expect(await why('Far 1')).toEqual([]);
    const [shown] = await pastDecisions(world.disk, '/rec/.catchupd', 'show');
    const asOfNow = (path: string) =>
      withPast([], [shown!], [{ id: shown!.recordingId ?? '', path }]).map(({ reason }) => reason);
    expect(asOfNow('spooling.open')).toEqual(['already_recording']);
    expect(asOfNow('failed.resting')).toEqual(['already_recorded']);
    expect(withPast([], [shown!], [])).toMatchObject([{ action: 'skip', reason: 'already_recorded' }]);
    await world.stop();
  }, 30_000);
});
