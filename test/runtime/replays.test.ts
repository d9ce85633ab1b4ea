/** What a provider's archive does for programmes that are over and lack something, in the virtual world. */
import { describe, expect, it } from 'vitest';
import { TransportFault, type TransportRequest } from '../../src/io/transport.js';
import type { ProviderChannel, Showing } from '../sim/provider.js';
import { createDaemonWorld, type DaemonWorld } from '../sim/daemonWorld.js';
import { UNIT_MS, unitOf, unitsIn } from '../sim/syntheticTs.js';
import type { Answer, Feed } from '../sim/virtualTransport.js';

const MINUTE_MS = 60_000;
const TEMPLATE = 'http://archive.test/{guide_number}/{start_unix}/{stop_unix}.ts';

/** The programme as it was broadcast, and a little more on either side. */
function archived({ number }: Pick<ProviderChannel, 'number'>, fromAt: number, toAt: number): Buffer {
  const units: Buffer[] = [];
  for (let index = Math.floor(fromAt / UNIT_MS); index <= toAt / UNIT_MS; index++)
    units.push(unitOf({ channel: number, index }));
  return Buffer.concat(units);
}

const SEGMENT_S = 10;

function playlistOf(path: string, from: number, to: number): string {
  const lines = ['#EXTM3U', `#EXT-X-TARGETDURATION:${SEGMENT_S}`];
  for (let at = from; at < to + 20; at += SEGMENT_S)
    lines.push(
      `#EXTINF:${SEGMENT_S},`,
      path.replace(/\d+\/\d+\.ts$/, `${at}/${at + SEGMENT_S}.ts?segment=1`),
    );
  return `${[...lines, '#EXT-X-ENDLIST'].join('\n')}\n`;
}

interface Archive {
  /** Live streams break, and answer 503 until they rise. */
  fall(): void;
  rise(): void;
  readonly asked: string[];
  /** It answers with a playlist of ten-second segments. */
  isPlaylist: boolean;
  /** What the archive answers in place of the programme. */
  answer: ((whole: Buffer, range: string) => { status: number; body: Buffer }) | null;
}

async function world(): Promise<DaemonWorld & { readonly archive: Archive }> {
  const made = await createDaemonWorld({
    seed: 11,
    channels: 1,
    options: {
      'replay-url-template': TEMPLATE,
      keep: 'sports=9d,movies=9d,general=9d',
      'post-padding': '60s',
    },
  });
  let down = false;
  const feeds = new Set<Feed>();
  const archive: Archive = {
    fall() {
      down = true;
      for (const feed of feeds) feed.fail(new TransportFault('reset', 'down'));
      feeds.clear();
    },
    rise: () => void (down = false),
    asked: [],
    isPlaylist: false,
    answer: null,
  };
  const { answer } = made.provider;
  function live(given: Answer): Answer {
    const { body } = given;
    if (Buffer.isBuffer(body)) return given;
    if (down) return { status: 503, body: Buffer.from('down') };
    return {
      ...given,
      body(feed) {
        feeds.add(feed);
        return body(feed);
      },
    };
  }
  Object.assign(made.provider, {
    answer(url: URL, request: TransportRequest): Answer {
      if (url.hostname !== 'archive.test') return live(answer.call(made.provider, url, request));
      const [, number = '', from = '', to = ''] = /^\/(\d+)\/(\d+)\/(\d+)\.ts$/.exec(url.pathname) ?? [];
      const range = request.headers?.['range'] ?? '';
      archive.asked.push(range);
      if (archive.isPlaylist && !url.searchParams.has('segment')) {
        const body = Buffer.from(playlistOf(url.pathname, Number(from), Number(to)));
        return { status: 200, headers: { 'content-length': String(body.length) }, body };
      }
      // A segment ends where the next one begins; a whole archive gives a little more.
      const isSegment = url.searchParams.has('segment');
      const toAt = Number(to) * 1000 + (isSegment ? -UNIT_MS : 20_000);
      const body = archived({ number: Number(number) }, Number(from) * 1000, toAt);
      const said = archive.answer?.(body, range) ?? { status: 200, body };
      return { headers: { 'content-length': String(said.body.length) }, ...said };
    },
  });
  return { ...made, archive };
}

/** One that is well ahead and lasts a while. */
function ahead({ provider, clock }: DaemonWorld): Showing {
  const found = provider.showings.find(
    ({ startAt, stopAt }) => startAt > clock.now() + 10 * MINUTE_MS && stopAt - startAt >= 20 * MINUTE_MS,
  );
  if (!found) throw new Error('nothing is on');
  return found;
}

const until = (sim: DaemonWorld, at: number) => sim.clock.run(at - sim.clock.now());
const entryOf = (sim: DaemonWorld, { startAt }: Showing) =>
  [...sim.daemon().book.all()].find(({ recording }) => recording.window.startAt === startAt);
const indexes = (media: Buffer) => unitsIn(media).map(({ index }) => index);
const isWhole = (found: readonly number[]) =>
  found.every((index, i) => i === 0 || index === (found[i - 1] ?? 0) + 1);
const mediaOf = (sim: DaemonWorld, showing: Showing) => {
  const files = entryOf(sim, showing)?.recording.files;
  const media = [...sim.disk.files('/')].find(([path]) => path === files?.media)?.[1];
  return Buffer.from(media ?? []);
};

describe('the archive of a provider', () => {
  it('fills the hole of a programme that is over, and nothing stays of the pieces', async () => {
    const sim = await world();
    await sim.boot();
    const showing = ahead(sim);
    await until(sim, showing.startAt + 5 * MINUTE_MS);
    sim.archive.fall();
    await sim.clock.run(3 * MINUTE_MS);
    sim.archive.rise();
    await until(sim, showing.stopAt + 90_000);
    expect(entryOf(sim, showing)?.path).toBe('finalizing.archive.early');
    await sim.clock.run(5 * MINUTE_MS);
    const entry = entryOf(sim, showing);
    expect(entry?.path).toBe('published');
    expect(entry?.recording.result).toMatchObject({ outcome: 'complete', coverage: 1 });
    expect(entry?.recording.stretches.map(({ source }) => source.source)).toContain('replay');
    expect(isWhole(indexes(mediaOf(sim, showing)))).toBe(true);
    const left = [...sim.disk.files('/rec')]
      .map(([path]) => path)
      .filter((path) => path.startsWith((entry?.recording.spool ?? '?').replace(/\.mended\.part$/, '')));
    expect(left).toEqual([]);
    await sim.stop();
  });

  it('fills it from a playlist as well, and is the whole of what was missed', async () => {
    const sim = await world();
    sim.archive.isPlaylist = true;
    await sim.boot();
    const showing = ahead(sim);
    await until(sim, showing.startAt + 5 * MINUTE_MS);
    sim.archive.fall();
    await sim.clock.run(3 * MINUTE_MS);
    sim.archive.rise();
    await until(sim, showing.stopAt + 12 * MINUTE_MS);
    const entry = entryOf(sim, showing);
    expect(entry?.path).toBe('published');
    expect(entry?.recording.result).toMatchObject({ outcome: 'complete', coverage: 1 });
    expect(isWhole(indexes(mediaOf(sim, showing)))).toBe(true);
    const left = [...sim.disk.files('/rec')].map(([path]) => path).filter((path) => /replay/.test(path));
    expect(left).toEqual([]);
    await sim.stop();
  });

  it('has what was missed while nothing ran', async () => {
    const sim = await world();
    await sim.boot();
    const showing = ahead(sim);
    await until(sim, showing.startAt - 5 * MINUTE_MS);
    await sim.stop();
    await until(sim, showing.stopAt + 30 * MINUTE_MS);
    await sim.boot();
    await sim.clock.run(5 * MINUTE_MS);
    expect(entryOf(sim, showing)?.recording.result).toMatchObject({ outcome: 'complete' });
    expect(isWhole(indexes(mediaOf(sim, showing)))).toBe(true);
    await sim.stop();
  });

  it('that has nothing is asked once, and what was captured is published with its hole', async () => {
    const sim = await world();
    sim.archive.answer = () => ({ status: 404, body: Buffer.alloc(0) });
    await sim.boot();
    const showing = ahead(sim);
    await until(sim, showing.startAt + 5 * MINUTE_MS);
    sim.archive.fall();
    await sim.clock.run(3 * MINUTE_MS);
    sim.archive.rise();
    await until(sim, showing.stopAt + 10 * MINUTE_MS);
    const entry = entryOf(sim, showing);
    expect(entry?.path).toBe('published');
    expect(entry?.recording.result).toMatchObject({ outcome: 'complete_with_gaps' });
    expect(sim.archive.asked).toEqual(['']);
    await sim.stop();
  });
});
