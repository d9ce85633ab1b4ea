/**
 * Every fault that a provider is known for, played by real processes over real sockets, and what it costs: the cause in
 * the ledger, the connections, the seconds. The frames of the clips carry their number, so what is lost is counted in
 * the pictures themselves. docs/faults.md is the table of one such run, and is checked against every other; `npm run
 * faults` writes it anew.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { breaksOf, decode, probe } from '../media/frames.js';
import type { Behaviour } from '../fakes/provider.js';
import { channel, freePort, json, nothingYet, openScene, programme, soon, type ReportItem } from './scene.js';

const DOCUMENT = new URL('../../docs/faults.md', import.meta.url);
const UPDATE = process.env['UPDATE_FAULTS'] === '1';
const FRAME_S = 0.04;
/** So long that no picture comes twice while a programme lasts. */
const LOOP_FRAMES = 480;
/** A guide is read and planned within that time, however busy the machine. */
const LEAD_S = 7;
/** A busy machine reconnects later. */
const SLACK_S = 5;
/** As long as some providers count a closed connection; the table is of a shorter count, so nothing is compared then. */
const FULL = process.env['FAULTS_FULL'] === '1';
const CLOSED_COUNT_S = FULL ? 20 : 4;

interface Row {
  readonly fault: string;
  readonly causes: string;
  readonly connections: number;
  readonly lostS: number;
}

interface Ledger {
  readonly gaps: readonly { readonly cause: string; readonly from: string; readonly seconds: number }[];
  readonly joins: readonly { readonly kind: string; readonly removed_overlap_s: number }[];
  readonly stretches: readonly { readonly from: string; readonly to: string }[];
}

const ledgerOf = (item: ReportItem) =>
  json((item.output_path ?? '').replace(/\.ts$/, '.catchupd.json')) as unknown as Ledger;

/** What every file must be, whatever happened: clean, one picture and one sound, as long as its pictures and gaps say. */
async function soundFile(item: ReportItem): Promise<{ frames: readonly number[]; ledger: Ledger }> {
  const path = item.output_path ?? '';
  const { frames, errors } = await decode(path);
  expect(errors, `${item.title}: what the decoder says`).toEqual([]);
  expect(readFileSync(path).length % 188).toBe(0);
  const { streams, durationS } = await probe(path);
  expect(streams.map(({ type }) => type).toSorted(), `${item.title}: streams`).toEqual(['audio', 'video']);
  const ledger = ledgerOf(item);
  const pictures = frames.length * FRAME_S;
  // What is missing inside the file is there as time without pictures.
  const begunAt = ledger.stretches[0]?.from ?? '';
  const inside = ledger.gaps.filter(({ from }) => from > begunAt);
  const shownS = pictures + inside.reduce((sum, { seconds }) => sum + seconds, 0);
  expect(Math.abs(durationS - shownS), `${item.title}: ${durationS} s for ${shownS} s`).toBeLessThan(0.2);
  return { frames, ledger };
}

/** Pictures that are missing between those that are there, of clips that are shown again and again. */
function missingS(frames: readonly number[]): number {
  let missing = 0;
  for (const [n, frame] of frames.entries()) {
    const before = frames[n - 1];
    if (before === undefined || Math.floor(before / 500) !== Math.floor(frame / 500)) continue;
    missing += (((frame - before - 1) % LOOP_FRAMES) + LOOP_FRAMES) % LOOP_FRAMES;
  }
  return missing * FRAME_S;
}

const round = (seconds: number) => Math.round(seconds * 10) / 10;

/** Rows of the document, by fault. */
function documented(): Map<string, Row> {
  const lines = readFileSync(DOCUMENT, 'utf8').split('\n');
  const cells = lines.flatMap((line) =>
    /^\|(?! *(?:-|Fault))/.test(line) ? [line.split('|').map((cell) => cell.trim())] : [],
  );
  return new Map(
    cells.map(([, fault = '', causes = '', connections = '', lost = '']) => [
      fault,
      { fault, causes, connections: Number(connections), lostS: Number(lost) },
    ]),
  );
}

function find(items: readonly ReportItem[], wanted: string): ReportItem {
  const item = items.find(({ title }) => title === wanted);
  if (!item) throw new Error(`${wanted} is not there`);
  return item;
}

const rows: Row[] = [];

function note(fault: string, item: ReportItem, connections: number): void {
  // A start takes a moment, and so does a picture.
  const gaps = item.gaps.filter(({ seconds }) => seconds >= 0.1);
  const all = [...new Set(gaps.map(({ cause }) => cause))];
  const causes = all.filter((cause) => cause !== 'late_start' || (all.length === 1 && item.gap_seconds >= 1));
  const shown = causes.toSorted().map((cause) => `\`${cause}\``);
  // A test that is tried again measures again.
  const before = rows.findIndex((row) => row.fault === fault);
  if (before >= 0) rows.splice(before, 1);
  rows.push({ fault, causes: shown.join(', ') || 'none', connections, lostS: round(item.gap_seconds) });
}

/** Faults of one channel each, all at the same time. `backup`: what is listed after it. */
const SINGLE: Record<
  string,
  { readonly fault: string; readonly behaviour: Behaviour; readonly backup?: string }
> = {
  drops: { fault: 'drops every 3 seconds', behaviour: { dropEveryS: 3 } },
  resends: {
    fault: 'sends its last 3 seconds again at every connection, and drops every 3',
    behaviour: { dropEveryS: 3, burstS: 3 },
  },
  torn: { fault: 'breaks off inside a packet', behaviour: { dropAfterBytes: 188 * 400 + 77, onlyFirst: 1 } },
  stalls: {
    fault: 'stalls for longer than `--stall-timeout` (2 s here)',
    behaviour: { stallAfterBytes: 188 * 400, onlyFirst: 1 },
  },
  page: {
    fault: 'answers with a page of HTML',
    behaviour: { body: '<html>Renew your account</html>' },
    backup: 'other',
  },
  busy: {
    fault: 'answers 503, `Retry-After: 2`',
    behaviour: { status: 503, headers: { 'retry-after': '2' }, onlyFirst: 1 },
  },
  circles: { fault: 'redirects without end', behaviour: { redirectTo: '/live/circles.ts' }, backup: 'other' },
  bodiless: {
    fault: 'answers, but no body comes (`--first-byte-timeout` 2 s here)',
    behaviour: { noBody: true, onlyFirst: 1 },
  },
  headers: { fault: 'its headers never end', behaviour: { endlessHeaders: true, onlyFirst: 1 } },
  refuses: { fault: 'refuses the connection', behaviour: {}, backup: 'other' },
  remuxed: {
    fault: 'dies; another multiplex of the same encode takes over',
    behaviour: { burstS: 2, dropEveryS: 4, onlyFirst: 1, afterwards: { status: 410 } },
    backup: 'multiplex',
  },
  replaced: {
    fault: 'dies; another encoder takes over, other PIDs and clock',
    behaviour: { dropEveryS: 4, onlyFirst: 1, afterwards: { status: 410 } },
    backup: 'other',
  },
  padded: { fault: 'sends nothing but padding', behaviour: { padding: true }, backup: 'other' },
};
const LONG_S = 30;
const SHORT_S = 12;

describe.concurrent('faults of providers', () => {
  it(
    'each cost what the table says, and no file shows them',
    { timeout: 150_000 },
    async ({ onTestFinished }) => {
      const scene = openScene(onTestFinished);
      const port = await freePort();
      const address = (id: string) => `http://127.0.0.1:${port}/live/${id}.ts`;
      const closed = `http://127.0.0.1:${await freePort()}/live/x.ts`;
      const clip = { gop: 5, seconds: LOOP_FRAMES * FRAME_S };
      const channels = Object.entries(SINGLE).map(([id, { behaviour, backup }]) =>
        channel(id, {
          clip,
          behaviour: id === 'refuses' ? { redirectTo: closed } : behaviour,
          ...(backup !== undefined && { backups: [address(backup)] }),
        }),
      );
      const muxer =
        '-muxdelay 0.7 -mpegts_start_pid 0x300 -mpegts_pmt_start_pid 0x1300 -output_ts_offset 5000';
      const provider = await scene.provider({
        port,
        channels: [
          ...channels,
          channel('multiplex', { clip: { ...clip, muxer }, behaviour: { burstS: 2 } }),
          channel('other', {
            clip: {
              ...clip,
              width: 480,
              height: 270,
              firstNumber: 500,
              toneHz: 900,
              muxer: '-muxdelay 0.7 -mpegts_start_pid 0x200',
            },
          }),
        ],
        programmes: nothingYet('drops.tv'),
      });
      const counting = await scene.provider({
        channels: [
          channel('full', {
            clip,
            behaviour: { status: 458, body: 'max 1 connections reached', onlyFirst: 1 },
          }),
        ],
      });
      const words = ['--catalog', provider.catalogUrl, '--xmltv', provider.xmltvUrl];
      const more = ['--catalog', counting.catalogUrl, '--xmltv', counting.xmltvUrl];
      const waits = [
        '--pre-padding',
        '0s',
        '--stall-timeout',
        '2s',
        '--first-byte-timeout',
        '2s',
        '--provider-cooldown',
        '1s',
      ];
      const daemon = scene.daemon([...words, ...more, '--max-concurrency', '40', ...waits]);
      await daemon.ready();
      const at = soon(LEAD_S);
      const ids = Object.keys(SINGLE);
      await provider.setProgrammes(
        ids.map((id) => programme(`${id}.tv`, id, at, id === 'padded' ? LONG_S : SHORT_S)),
      );
      await counting.setProgrammes([programme('full.tv', 'full', at, SHORT_S)]);
      const all = [...ids, 'full'];
      const { completed } = await daemon.sees(
        'all are published',
        (report) => report.completed.length === all.length,
        100_000,
      );
      for (const id of all) {
        const item = find(completed, id);
        const { frames, ledger } = await soundFile(item);
        const fault = SINGLE[id]?.fault ?? 'answers 458 (no connection left)';
        const own = id === 'full' ? counting : provider;
        note(fault, item, item.capture_http_attempts ?? 0);
        expect(await own.asked(id), `${id}: connections`).toBeGreaterThan(0);
        // What the pictures say is what the ledger says.
        const gapS = ledger.gaps.reduce((sum, { seconds }) => sum + seconds, 0);
        expect(missingS(frames), `${id}: pictures that are missing`).toBeLessThan(gapS + 1);
        if (id === 'resends' || id === 'remuxed') {
          expect(breaksOf(frames, LOOP_FRAMES), `${id}: not one picture missing, none twice`).toEqual([]);
          expect(ledger.joins.some(({ removed_overlap_s: cut }) => cut > 0)).toBe(true);
        }
        if (SINGLE[id]?.backup !== undefined)
          expect(item.capture_upstream_switches, `${id}: switches`).toBe(1);
      }
    },
  );

  it(
    'of a limit are never provoked: who waits says why, and comes in',
    { timeout: 150_000 },
    async ({ onTestFinished }) => {
      const scene = openScene(onTestFinished);
      const provider = await scene.provider({
        channels: [channel('first'), channel('second')],
        programmes: nothingYet('first.tv'),
        connectionsMax: 1,
        countsClosedMs: CLOSED_COUNT_S * 1_000,
      });
      const limit = `${new URL(provider.url).host}=1`;
      const words = ['--m3u', provider.m3uUrl, '--provider-max', limit, '--post-padding', '3s'];
      const daemon = scene.daemon([...words, '--provider-cooldown', `${CLOSED_COUNT_S + 1}s`]);
      await daemon.ready();
      const at = soon(LEAD_S);
      await provider.setProgrammes([
        programme('first.tv', 'One', at, 5),
        programme('first.tv', 'Two', at + 5_000, 5),
        programme('second.tv', 'Three', at + 10_000, CLOSED_COUNT_S + 9),
      ]);
      const { completed } = await daemon.sees(
        'all are finished',
        (report) => report.completed.length === 3,
        100_000,
      );
      const one = find(completed, 'One');
      const two = find(completed, 'Two');
      const three = find(completed, 'Three');
      for (const item of [one, two]) expect(item).toMatchObject({ outcome: 'complete' });
      const { openStreamsMax, requests } = await provider.facts();
      expect(openStreamsMax).toBe(1);
      expect(requests.filter(({ status }) => status === 458)).toEqual([]);
      expect(await provider.asked('first')).toBe(1);
      for (const item of [one, two, three]) await soundFile(item);
      note('allows one connection; two programmes of one channel overlap by their padding', two, 1);
      const wait = `counts a connection for ${CLOSED_COUNT_S} s after it was closed (\`--provider-cooldown\` ${CLOSED_COUNT_S + 1} s)`;
      note(wait, three, three.capture_http_attempts ?? 0);
    },
  );

  it(
    'of too few slots: the lowest waits, says why, and comes in',
    { timeout: 150_000 },
    async ({ onTestFinished }) => {
      const scene = openScene(onTestFinished);
      const provider = await scene.provider({
        channels: ['match', 'film', 'chat'].map((id) => channel(id)),
        programmes: nothingYet('match.tv'),
      });
      const words = ['--m3u', provider.m3uUrl, '--max-concurrency', '2'];
      const daemon = scene.daemon(words);
      await daemon.ready();
      const at = soon(LEAD_S);
      await provider.setProgrammes([
        programme('chat.tv', 'Chat', at + 2_000, 14),
        programme('film.tv', 'Film', at, 8, { categories: ['Sports'] }),
        programme('match.tv', 'Match', at, 8, { categories: ['Sports'] }),
      ]);
      await daemon.sees('the chat waits', ({ active }) =>
        active.some((item) => item.title === 'Chat' && 'waiting' in item && item.waiting === 'slots_full'),
      );
      const ask = async (path: string): Promise<unknown> =>
        (await fetch(`${await daemon.url()}${path}`)).json();
      const upstreams = [{ place: 1, spent: false, reasons: ['listed'], penalty: null }];
      expect(await ask('/api/why?q=chat')).toMatchObject({
        recordings: [{ waiting: 'slots_full', upstreams }],
      });
      expect(await ask('/api/upstreams')).toMatchObject({ waiting: [{ reason: 'slots_full' }] });
      const { completed } = await daemon.sees(
        'all are finished',
        (report) => report.completed.length === 3,
        100_000,
      );
      for (const title of ['Film', 'Match'])
        expect(find(completed, title)).toMatchObject({ outcome: 'complete' });
      await soundFile(find(completed, 'Chat'));
      note(
        'three programmes for two slots: the lowest waits 7 s for the others to end',
        find(completed, 'Chat'),
        find(completed, 'Chat').capture_http_attempts ?? 0,
      );
    },
  );

  it(
    'of our own: killed in the middle and started again',
    { timeout: 150_000 },
    async ({ onTestFinished }) => {
      const scene = openScene(onTestFinished);
      const provider = await scene.provider({
        channels: [channel('one', { clip: { gop: 5, seconds: LOOP_FRAMES * FRAME_S } })],
        programmes: nothingYet('one.tv'),
      });
      const words = ['--m3u', provider.m3uUrl];
      const daemon = scene.daemon(words);
      await daemon.ready();
      const at = soon(LEAD_S);
      await provider.setProgrammes([programme('one.tv', 'Killed', at, 16)]);
      await daemon.sees('it is recorded', ({ active }) =>
        active.some((item) => (item.bytes_recorded ?? 0) > 60_000),
      );
      daemon.signal('SIGKILL');
      await daemon.exited;
      const { completed } = await scene
        .daemon(words)
        .sees('it is published', (report) => report.completed.length === 1, 100_000);
      const item = find(completed, 'Killed');
      const { frames } = await soundFile(item);
      expect(missingS(frames)).toBeLessThan(item.gap_seconds + 1.5);
      note('catchupd is killed (SIGKILL) and started again', item, item.capture_http_attempts ?? 0);
    },
  );
});

describe('docs/faults.md', () => {
  it.skipIf(FULL)('says what was measured: each cause, about as many connections, no more lost', () => {
    const order = [...rows].toSorted((a, b) => a.fault.localeCompare(b.fault));
    if (UPDATE) writeTable(order);
    const known = documented();
    expect([...known.keys()].toSorted()).toEqual(order.map(({ fault }) => fault).toSorted());
    for (const row of rows) {
      const said = known.get(row.fault);
      // A busy machine adds causes of its own; the fault's must be among them.
      if (row.causes !== 'none' && said && said.causes !== 'none')
        expect(row.causes, `${row.fault}: causes`).toContain(said.causes);
      const asked = Math.abs(row.connections - (said?.connections ?? 0));
      expect(asked, `${row.fault}: connections`).toBeLessThan(3);
      expect(row.lostS, `${row.fault}: seconds lost`).toBeLessThan((said?.lostS ?? 0) + SLACK_S);
    }
  });
});

function writeTable(table: readonly Row[]): void {
  const text = readFileSync(DOCUMENT, 'utf8');
  const lines = table.map(
    ({ fault, causes, connections, lostS }) =>
      `| ${fault} | ${causes} | ${connections} | ${lostS.toFixed(1)} |`,
  );
  const head = '| Fault | Causes in the ledger | Connections | Seconds lost |\n| --- | --- | --- | --- |';
  const block = `<!-- faults -->\n\n${head}\n${lines.join('\n')}\n\n<!-- end -->`;
  writeFileSync(DOCUMENT, text.replace(/<!-- faults -->[^]*<!-- end -->/, block));
}
