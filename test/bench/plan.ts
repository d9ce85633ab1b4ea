/** What it costs to decide about 20,000 programmes: with a guide that is new, and again with nothing changed. */
import { resolveConfig } from '../../src/config/resolve.js';
import type { Channel } from '../../src/domain/channel.js';
import type { GuideData, Programme } from '../../src/domain/programme.js';
import { decide } from '../../src/runtime/planning.js';
import { median, numberOption, rounded, type Bench } from './bench.js';

const ROUNDS = 9;
const MINUTE_MS = 60_000;
const EACH = 20;

function channelOf(n: number): Channel {
  const id = `channel-${n}.tv`;
  return {
    source: 'list',
    channelId: id,
    dnaId: `dna-${n.toString(16).padStart(16, '0')}`,
    guideNumber: String(n),
    guideName: `Channel ${n}`,
    tvgId: id,
    group: `Group ${n % 20}`,
    quality: 1,
    userAgent: '',
    referrer: '',
    urls: [`http://127.0.0.1:9/${n}.ts`],
  };
}

function programmeOf(n: number, i: number, now: number): Programme {
  const startAt = now + (i * 30 - 15) * MINUTE_MS;
  return {
    channel: `channel-${n}.tv`,
    startAt,
    stopAt: startAt + 30 * MINUTE_MS,
    title: `Programme ${(n * 7 + i) % 400}`,
    subTitle: '',
    desc: `What number ${i} of channel ${n} is about.`,
    categories: [n % 3 === 0 ? 'Sports' : 'Series'],
    episode: '',
    icon: '',
    isNew: false,
  };
}

export const planBench: Bench = {
  name: 'plan',
  what: 'deciding about 20,000 programmes, at first and with nothing changed',
  options: { programmes: 'in the window (20000)', slots: 'connections (4)' },
  async run(options) {
    const count = numberOption(options, 'programmes', 20_000);
    const now = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
    const channels = Array.from({ length: Math.ceil(count / EACH) }, (_, n) => channelOf(n));
    const { config } = await resolveConfig({
      command: 'run',
      line: new Map(Object.entries({ m3u: ['x.m3u'], 'out-dir': ['/tmp/none'], horizon: ['12h'] })),
      env: {},
      cwd: '/',
      readFile: () => Promise.reject(Object.assign(new Error('ENOENT'), { code: 'ENOENT' })),
    });
    const capacity = {
      slotsMax: numberOption(options, 'slots', 4),
      limits: {},
      preempt: true,
      accountsOf: () => [[]],
    };
    const first: number[] = [];
    const again: number[] = [];
    let decisions = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const programmes = channels.flatMap((_, n) =>
        Array.from({ length: EACH }, (__, i) => programmeOf(n, i, now)),
      );
      const counts = {
        channels: channels.length,
        programmes: count,
        lastStopAt: now,
        skipped: {},
        partial: false,
      };
      const data: GuideData = {
        channels: channels.map(({ tvgId: id }) => ({ id, names: [] })),
        programmes,
        counts,
      };
      const guide = { channels, guides: [data], aliases: undefined };
      const base = {
        config,
        guide,
        shadows: [],
        tombstones: [],
        overrides: [],
        rules: undefined,
        capacity,
        now,
      };
      const from = performance.now();
      const made = decide({ ...base, previousRowKeys: null });
      first.push(performance.now() - from);
      decisions = made.decisions.length;
      const then = performance.now();
      // As the next look does, before anything begins or ends.
      decide({ ...base, now: now + MINUTE_MS, previousRowKeys: made.rowKeys }, made);
      again.push(performance.now() - then);
    }
    return {
      budgets: [
        { what: 'ms with a new guide', value: median(first), max: 50 },
        { what: 'ms with nothing changed', value: median(again), max: 5 },
      ],
      measured: {
        programmes: count,
        decisions,
        first: first.map((ms) => rounded(ms, 1)),
        again: again.map((ms) => rounded(ms, 1)),
      },
    };
  },
};
