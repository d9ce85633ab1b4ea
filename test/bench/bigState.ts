/** A state as large as one likes, on disk, and a channel list and guide to go with it. */
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../src/io/clock.js';
import { nodeDisk } from '../../src/io/nodeDisk.js';
import { openStore } from '../../src/store/store.js';
import { storedRecording } from './storedRecordings.js';

const HALF_HOUR_MS = 1_800_000;
const DAY_MS = 86_400_000;
/** Half hours that the guide knows of each channel, where there are many. */
const SLOTS = 16;
const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

export interface Size {
  readonly recordings: number;
  /** One has a programme in a week; of more, each has one every half hour. */
  readonly channels: number;
}

/**
 * A state of that many recordings, written out whole, and their media, so that nobody seems to have removed them. Gives
 * the words to start the daemon with.
 */
export async function prepareState(folder: string, { recordings, channels }: Size): Promise<string[]> {
  const [outDir, library] = [join(folder, 'out'), join(folder, 'library')];
  for (const [path, uuid] of [
    [outDir, 'uuid-out'],
    [library, 'uuid-library'],
  ] as const) {
    mkdirSync(path);
    writeFileSync(join(path, '.catchupd-root'), JSON.stringify({ uuid }));
  }
  const statePath = join(outDir, 'recorder-state.json');
  const opening = { disk: nodeDisk, clock: systemClock, log, statePath, reserveBytes: 0 };
  const store = await openStore(opening);
  store.set('roots', outDir, 'uuid-out');
  store.set('roots', library, 'uuid-library');
  const now = Date.now();
  for (let index = 0; index < recordings; index += 1) {
    const document = storedRecording(index, now, outDir, library);
    const { folder: place, media } = (
      document.snapshot as { context: { files: { folder: string; media: string } } }
    ).context.files;
    mkdirSync(place, { recursive: true });
    writeFileSync(media, 'G');
    store.put(document);
    if (index % 500 === 499) await store.flush();
  }
  await store.close();
  // As after a while of running: everything in the base, the journal and the one before it short.
  for (const failures of [1, 2]) {
    const again = await openStore({ ...opening, compactBytes: 1 });
    again.set('hosts', 'bench.invalid', { failures, at: now, cause: 'reset' });
    const before = statSync(statePath).ino;
    const inode = () => statSync(statePath, { throwIfNoEntry: false })?.ino ?? before;
    await again.flush();
    while (inode() === before) await new Promise<void>((resolve) => void setTimeout(resolve, 50));
    await again.close();
  }
  const [list, guide] = [join(folder, 'list.m3u'), join(folder, 'guide.xml')];
  writeFileSync(list, listOf(channels));
  writeFileSync(guide, guideOf(channels, now));
  const places = ['--out-dir', outDir, '--publish-dir', library, '--m3u', list, '--xmltv', guide];
  return [...places, '--listen', '127.0.0.1:0', '--log-format', 'json', '--disk-free-min', '0'];
}

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);

/** Port 9 refuses at once. */
function listOf(channels: number): string {
  const rows = numbers(channels).map(
    (index) =>
      `#EXTINF:-1 tvg-id="c${index}.tv" tvg-chno="${index + 1}" group-title="G${index % 40}",Channel ${index}\nhttp://127.0.0.1:9/${index}.ts\n`,
  );
  return `#EXTM3U\n${rows.join('')}`;
}

function guideOf(channels: number, now: number): string {
  const stamp = (at: number) => `${new Date(at).toISOString().replace(/\D/g, '').slice(0, 14)} +0000`;
  const row = (channel: number, at: number, lengthMs: number, title: string) =>
    `<programme channel="c${channel}.tv" start="${stamp(at)}" stop="${stamp(at + lengthMs)}"><title>${title}</title></programme>`;
  const first = Math.floor(now / HALF_HOUR_MS) * HALF_HOUR_MS - HALF_HOUR_MS;
  const names = numbers(channels).map(
    (index) => `<channel id="c${index}.tv"><display-name>Channel ${index}</display-name></channel>`,
  );
  const rows =
    channels === 1
      ? [row(0, now + 7 * DAY_MS, DAY_MS, 'Later')]
      : numbers(channels).flatMap((channel) =>
          numbers(SLOTS).map((slot) =>
            row(channel, first + slot * HALF_HOUR_MS, HALF_HOUR_MS, `Show ${channel} of ${slot}`),
          ),
        );
  return `<tv>${names.join('')}${rows.join('')}</tv>`;
}
