/** A guide as big providers have them: 150 MB, 205,000 programmes on 1,000 channels, and a list of those channels. */
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';

const MINUTE_MS = 60_000;
const LENGTHS_MIN = [30, 30, 45, 60, 30, 90, 60, 30];
const CATEGORIES = ['News', 'Movie', 'Sports', 'Series', 'Documentary'];

export interface GuideSize {
  readonly channels: number;
  readonly programmes: number;
  /** Another one renames some programmes. */
  readonly edition?: number;
}

/** Writes it to `path`, from a day before `now` on; resolves with its size in bytes. */
export async function writeGuide(
  path: string,
  { channels, programmes, edition = 0 }: GuideSize,
  now: number,
): Promise<number> {
  const file = createWriteStream(path);
  let bytes = 0;
  const write = async (text: string) => {
    bytes += Buffer.byteLength(text);
    if (!file.write(text)) await once(file, 'drain');
  };
  await write('<?xml version="1.0" encoding="UTF-8"?>\n<tv>\n');
  for (let n = 0; n < channels; n += 1)
    await write(`<channel id="channel-${n}.tv"><display-name>Channel ${n} HD</display-name></channel>\n`);
  const each = Math.ceil(programmes / channels);
  for (let n = 0; n < channels; n += 1) {
    let at = Math.floor(now / (30 * MINUTE_MS)) * 30 * MINUTE_MS - 24 * 60 * MINUTE_MS;
    const rows: string[] = [];
    for (let i = 0; i < each && n * each + i < programmes; i += 1) {
      const stopAt = at + (LENGTHS_MIN[(n + i) % LENGTHS_MIN.length] ?? 30) * MINUTE_MS;
      rows.push(rowOf(n, i, at, stopAt, i % 7 === 3 ? edition : 0));
      at = stopAt;
    }
    await write(rows.join(''));
  }
  await write('</tv>\n');
  file.end();
  await once(file, 'close');
  return bytes;
}

function rowOf(channel: number, index: number, startAt: number, stopAt: number, edition: number): string {
  const words =
    `Programme ${index} of channel ${channel}, told as guides tell it &amp; at some length. `.repeat(6);
  return (
    `<programme start="${stamp(startAt)}" stop="${stamp(stopAt)}" channel="channel-${channel}.tv">` +
    `<title lang="en">Programme ${index % 60} on ${channel % 40}${edition === 0 ? '' : ` (${edition})`}</title><sub-title>Part ${index}</sub-title>` +
    `<desc>${words}</desc><category>${CATEGORIES[(channel + index) % CATEGORIES.length]}</category>` +
    `<episode-num system="xmltv_ns">${index % 9}.${index}.</episode-num></programme>\n`
  );
}

export function listOf({ channels }: GuideSize, host: string): string {
  const rows = Array.from(
    { length: channels },
    (_, n) =>
      `#EXTINF:-1 tvg-id="channel-${n}.tv" group-title="Group ${n % 20}",Channel ${n} HD\nhttp://${host}/${n}.ts\n`,
  );
  return `#EXTM3U\n${rows.join('')}`;
}

export function stamp(at: number): string {
  return `${new Date(at).toISOString().replace(/\D/g, '').slice(0, 14)} +0000`;
}
