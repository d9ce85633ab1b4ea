/** A plan that is seen to stand is held against one that is made anew at the same moment. */
import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import type { Config } from '../../src/config/config.js';
import { resolveConfig } from '../../src/config/resolve.js';
import type { Channel } from '../../src/domain/channel.js';
import type { GuideData, Programme } from '../../src/domain/programme.js';
import { decide, type DecideInput, type Outlook } from '../../src/runtime/planning.js';
import type { Shadow } from '../../src/runtime/shadow.js';

const MINUTE = 60_000;
const NOW = Date.UTC(2026, 10, 23, 20);
const CHANNELS = 4;

const channelOf = (n: number): Channel => ({
  source: 'list',
  channelId: `c${n}`,
  dnaId: `dna-${n}`,
  guideNumber: '',
  guideName: `Channel ${n}`,
  tvgId: `c${n}`,
  group: '',
  quality: 1,
  userAgent: '',
  referrer: '',
  urls: [`http://127.0.0.1:9/${n}.ts`],
});
const channels = Array.from({ length: CHANNELS }, (_, n) => channelOf(n));

const programmes = fc.array(
  fc.record({
    channel: fc.nat(CHANNELS - 1),
    startMin: fc.integer({ min: -6, max: 30 }).map((tens) => tens * 10),
    lengthMin: fc.integer({ min: 1, max: 18 }).map((tens) => tens * 10),
    title: fc.nat(4),
    episode: fc.constantFrom('', 's1e1', 's1e2'),
    sport: fc.boolean(),
  }),
  { maxLength: 25 },
);

function guideOf(
  rows: readonly { readonly [K in 'channel' | 'startMin' | 'lengthMin' | 'title']: number }[],
) {
  const all = rows.map((row): Programme => ({
    channel: `c${row.channel}`,
    startAt: NOW + row.startMin * MINUTE,
    stopAt: NOW + (row.startMin + row.lengthMin) * MINUTE,
    title: `Title ${row.title}`,
    subTitle: '',
    desc: 'Words',
    categories: ('sport' in row && row.sport) === true ? ['Sports'] : [],
    episode: 'episode' in row ? String(row.episode) : '',
    icon: '',
    isNew: false,
  }));
  const counts = { channels: CHANNELS, programmes: all.length, lastStopAt: 0, skipped: {}, partial: false };
  const data: GuideData = {
    channels: channels.map(({ tvgId: id }) => ({ id, names: [] })),
    programmes: all,
    counts,
  };
  return { channels, guides: [data], aliases: undefined };
}

function shadowsOf(outlook: Outlook, now: number): Shadow[] {
  return outlook.decisions
    .filter(({ action }) => action === 'record')
    .map(({ capsule, priority, reason }, n) => ({
      id: `id${n}`,
      path: capsule.startAt <= now ? 'spooling.open' : 'scheduled.early',
      keys: [capsule.recordKey],
      capsule,
      priority,
      reason,
      cancelReason: '',
      startAt: capsule.startAt,
      stopAt: capsule.stopAt,
      hasGoodCopy: false,
    }));
}

const shown = ({ decisions, conflicts }: Outlook) => ({
  decisions,
  conflicts: [...conflicts].map(([decision, { again, ...conflict }]) => [
    decisions.indexOf(decision),
    conflict.lostMs,
    conflict.whole,
    conflict.firstAt,
    conflict.reason,
    conflict.winners.map(({ recordKey }) => recordKey),
    again?.recordKey,
  ]),
});

let config: Config;
beforeAll(async () => {
  const line = { m3u: ['x.m3u'], 'out-dir': ['/tmp/none'], horizon: ['3h'] };
  ({ config } = await resolveConfig({
    command: 'run',
    line: new Map(Object.entries(line)),
    env: {},
    cwd: '/',
    readFile: () => Promise.reject(Object.assign(new Error('ENOENT'), { code: 'ENOENT' })),
  }));
});

it('a plan that stands says what one would that is made anew, however long it stands', () => {
  let stood = 0;
  fc.assert(
    fc.property(
      programmes,
      fc.record({ slotsMax: fc.integer({ min: 0, max: 2 }), preempt: fc.boolean() }),
      fc.constantFrom(0, 0.5, 0.9),
      fc.array(fc.tuple(fc.nat(7), fc.constantFrom(0, 1, 500, 1_000, 50_000)), {
        minLength: 8,
        maxLength: 16,
      }),
      fc.boolean(),
      (rows, table, joinMinLeft, looks, isKnown) => {
        const base: DecideInput = {
          config: { ...config, when: { ...config.when, joinMinLeft } },
          guide: guideOf(rows),
          shadows: [],
          tombstones: [],
          overrides: [],
          rules: undefined,
          capacity: { ...table, limits: {}, accountsOf: () => [[]] },
          now: NOW,
          previousRowKeys: null,
        };
        // One programme has moved since it was planned.
        const before = rows.map((row, n) => (n === 0 ? { ...row, startMin: row.startMin + 10 } : row));
        const first = decide({ ...base, guide: guideOf(before) });
        const input = isKnown
          ? { ...base, shadows: shadowsOf(first, NOW), previousRowKeys: first.rowKeys }
          : base;
        let last = decide(input);
        const moments = looks.map(
          ([tens, ms]) => NOW + tens * 10 * MINUTE + ms - (ms === 50_000 ? MINUTE : 0),
        );
        for (const now of moments.toSorted((a, b) => a - b)) {
          const later = { ...input, now, previousRowKeys: last.rowKeys };
          const next = decide({ ...later, shadows: structuredClone([...input.shadows]).values() }, last);
          if (next.decisions === last.decisions) stood += isKnown ? 1 : 0;
          last = next;
          expect(shown(last)).toEqual(shown(decide(later)));
        }
      },
    ),
    { numRuns: 300 },
  );
  expect(stood).toBeGreaterThan(300);
});

it('a plan does not stand where anything that it was made of is another', () => {
  const rows = [{ channel: 0, startMin: 60, lengthMin: 60, title: 1 }];
  const base: DecideInput = {
    config,
    guide: guideOf(rows),
    shadows: [],
    tombstones: [],
    overrides: [],
    rules: undefined,
    capacity: { slotsMax: 1, preempt: true, limits: {}, accountsOf: () => [[]] },
    now: NOW,
    previousRowKeys: null,
  };
  const made = decide(base);
  const stands = (change: Partial<DecideInput>) =>
    decide({ ...base, ...change }, made).decisions === made.decisions;
  expect(stands({})).toBe(true);
  expect(stands({ now: NOW + 40 * MINUTE, previousRowKeys: made.rowKeys })).toBe(true);
  expect(stands({ now: NOW + 60 * MINUTE })).toBe(false);
  expect(stands({ now: NOW - 1 })).toBe(false);
  expect(stands({ guide: guideOf(rows) })).toBe(false);
  expect(stands({ shadows: shadowsOf(made, NOW) })).toBe(false);
  expect(stands({ capacity: { ...base.capacity, limits: { me: 1 } } })).toBe(false);
  expect(stands({ rules: { kind: 'unreadable' } })).toBe(false);
  Object.assign(config.what, structuredClone(config.what), { horizonMs: config.what.horizonMs + 1 });
  expect(stands({})).toBe(false);
});
