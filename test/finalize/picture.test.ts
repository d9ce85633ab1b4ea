/** The guide's icon beside the media: wanted, never needed, and nobody else's. */
import { describe, expect, it } from 'vitest';

import { removeRecording } from '../../src/expire/remove.js';
import type { LibraryKind } from '../../src/domain/libraryKind.js';
import type { ExchangeAnswer } from '../../src/io/exchange.js';
import { memoryDisk } from '../sim/memoryDisk.js';
import { aCapsule, aRecording } from '../domain/aRecording.js';
import { finalizeBench, FOLDER, NAME, OUT, packets, PUBLISH, writeSpool } from './finalizeBench.js';

const JPEG = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3]);
const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 9]);
const answer = (body: Buffer, status = 200, headers = {}): ExchangeAnswer => ({ status, headers, body });
const wire = { title: 'The Wire', episode: 's1e4', lane: 'series' };

async function published(
  icon: string,
  answers: (url: string) => ExchangeAnswer | Promise<ExchangeAnswer>,
  kind: LibraryKind = 'movies',
) {
  const asked: string[] = [];
  const exchange = {
    ask: async ({ url }: { readonly url: string }) => {
      asked.push(url);
      return answers(url);
    },
  };
  const bench = await finalizeBench(memoryDisk(), exchange);
  const recording = aRecording({ capsule: aCapsule({ icon, ...(kind === 'shows' && wire) }) });
  const publish = async (of = recording) => {
    await writeSpool(bench.disk, of.spool, packets(2));
    const outcome = await bench.finalize(of, PUBLISH, kind);
    if (outcome.kind !== 'published') throw new Error(outcome.kind);
    return outcome.files;
  };
  return { bench, asked, recording, publish, files: await publish() };
}

describe('a picture of the guide', () => {
  it.each([
    ['movies', JPEG, `${FOLDER}/${NAME}-poster.jpg`],
    ['shows', PNG, '/media/series/The Wire/Season 01/The Wire - S01E04-thumb.png'],
  ] as const)(
    'lies beside %s by the name that servers look for, is in the nfo, and goes with the rest',
    async (kind, body, path) => {
      const { bench, files, recording } = await published('http://pics/x', () => answer(body), kind);
      expect(files.picture).toBe(path);
      expect(bench.disk.files().get(path)).toEqual(body);
      expect(await bench.disk.stat(path)).toMatchObject({ mode: 0o644 });
      const nfo = bench.disk.files().get(files.nfo)?.toString();
      expect(nfo).toContain(`<thumb>${path.split('/').at(-1)}</thumb>`);
      await removeRecording(
        { recording: { ...recording, files }, index: '/out/.catchupd/index/x', roots: [OUT, PUBLISH] },
        { disk: bench.disk, clock: bench.clock, durable: async () => undefined },
      );
      expect(bench.paths('/media')).toEqual([]);
    },
  );

  it.each<[string, (url: string) => ExchangeAnswer | Promise<ExchangeAnswer>]>([
    ['does not come', () => Promise.reject(new Error('timeout'))],
    ['is a web page', () => answer(Buffer.from('<html>'))],
    ['is not there', () => answer(JPEG, 404)],
    ['leads round in circles', (url) => answer(Buffer.alloc(0), 302, { location: url })],
    ['leads to a file', () => answer(Buffer.alloc(0), 302, { location: 'file:///etc/passwd' })],
  ])('that %s is left out, and everything else is published', async (_, answers) => {
    const { bench, files } = await published('http://pics/x', answers);
    expect(files.picture).toBeUndefined();
    expect(bench.paths('/media')).toHaveLength(3);
    expect(bench.disk.files().get(files.nfo)?.toString()).not.toContain('<thumb>');
  });

  it('is not asked for again where its host did not answer, until a while has passed', async () => {
    const { asked, publish, bench } = await published('http://pics/x', () =>
      Promise.reject(new Error('timeout')),
    );
    const other = (id: string) =>
      aRecording({
        id,
        spool: `/out/sports/${id}.partial.ts`,
        capsule: aCapsule({ icon: 'http://pics/y', title: id }),
      });
    await publish(other('22222222'));
    expect(asked).toHaveLength(1);
    await bench.clock.advance(600_001);
    await publish(other('33333333'));
    expect(asked).toHaveLength(2);
  });

  it('never takes the place of one that is there', async () => {
    const theirs = '/media/series/The Wire/Season 01/The Wire - S01E04-thumb.jpg';
    const { bench, publish, files } = await published('http://pics/x', () => answer(PNG), 'shows');
    await writeSpool(bench.disk, theirs, Buffer.from('mine'));
    expect(files.picture).toContain('-thumb.png');
    const capsule = aCapsule({ ...wire, episode: 's1e5', icon: 'http://pics/x' });
    const own = '/media/series/The Wire/Season 01/The Wire - S01E05-thumb.png';
    await writeSpool(bench.disk, own, Buffer.from('mine'));
    const second = await publish(aRecording({ id: '22222222', spool: '/out/series/2.partial.ts', capsule }));
    expect(second.picture).toBeUndefined();
    expect(bench.disk.files().get(own)?.toString()).toBe('mine');
  });
});
