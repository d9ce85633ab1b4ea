/** At the full hour everything begins and ends at once: in a turn of the loop only so much of it is done (P1). */
import { expect, it } from 'vitest';
import { createDaemonWorld, type DaemonWorld } from '../sim/daemonWorld.js';
import { GUIDE, MINUTE_MS, text, write } from './guideWorld.js';

const CHANNELS = 24;

/** What changed in the turn that changed most, of all turns until then. */
function mostInATurn(world: DaemonWorld, of: () => ReadonlySet<string>): { most(): number; forget(): void } {
  const { after } = world.clock;
  let [before, most] = [new Set<string>() as ReadonlySet<string>, 0];
  const look = () => {
    if (!world.isRunning()) return;
    const now = of();
    const came = [...now].filter((id) => !before.has(id)).length;
    const went = [...before].filter((id) => !now.has(id)).length;
    most = Math.max(most, came, went);
    before = now;
  };
  world.clock.after = (delayMs, task) =>
    after(delayMs, () => {
      look();
      task();
    });
  return {
    most: () => most,
    forget() {
      look();
      most = 0;
    },
  };
}

it('begins and changes over a few at a time, and none is forgotten', async () => {
  const options = { xmltv: GUIDE, 'pre-padding': '0s', 'post-padding': '0s', 'max-concurrency': '30' };
  const world = await createDaemonWorld({ seed: 5, channels: CHANNELS, slots: 30, options });
  const rows = Array.from({ length: CHANNELS }, (_, index) => [
    { title: `First ${index}`, from: 0, to: 20, channel: index + 1 },
    { title: `Second ${index}`, from: 20, to: 40, channel: index + 1 },
  ]).flat();
  await write(world, text(world, rows));
  const inState = (start: string) =>
    new Set([...world.daemon().book.all()].flatMap(({ id, path }) => (path.startsWith(start) ? [id] : [])));
  const begun = mostInATurn(world, () => inState('spooling'));
  await world.boot();
  await world.clock.run(10 * MINUTE_MS);
  expect(inState('spooling').size).toBe(CHANNELS);
  expect(begun.most()).toBeLessThanOrEqual(2);
  begun.forget();
  await world.clock.run(50 * MINUTE_MS);
  expect(inState('published').size).toBe(2 * CHANNELS);
  expect(begun.most()).toBeLessThanOrEqual(2);
  await world.stop();
});
