/** A simulated world whose guide is a file that a test writes. */
import type { DaemonWorld } from '../sim/daemonWorld.js';

export const MINUTE_MS = 60_000;
export const GUIDE = '/guides/guide.xml';

export interface Row {
  readonly title: string;
  /** Minutes from the start of the world. */
  readonly from: number;
  readonly to: number;
  readonly channel?: number;
}

function stamp(at: number): string {
  return `${new Date(at).toISOString().replace(/[-:T]/g, '').slice(0, 14)} +0000`;
}

export function text(world: DaemonWorld, rows: readonly Row[]): string {
  const heads = world.provider.channels.map(
    ({ tvgId, name }) => `<channel id="${tvgId}"><display-name>${name}</display-name></channel>`,
  );
  const programmes = rows.map(({ title, from, to, channel = 1 }) => {
    const times = [from, to].map((minutes) => stamp(world.startAt + minutes * MINUTE_MS));
    return `<programme channel="channel-${channel}.test" start="${times[0]}" stop="${times[1]}"><title>${title}</title></programme>`;
  });
  return `<tv>${heads.join('')}${programmes.join('\n')}</tv>`;
}

export async function write(world: DaemonWorld, guide: string): Promise<void> {
  await world.disk.mkdir('/guides');
  if (world.disk.sizes('/guides').has(GUIDE)) await world.disk.unlink(GUIDE);
  const file = await world.disk.open(GUIDE, 'create');
  await file.write([Buffer.from(guide)]);
  await file.close();
}

export function entry(world: DaemonWorld, title: string) {
  return [...world.daemon().book.all()].find(({ recording: { capsule } }) => capsule.title === title);
}
