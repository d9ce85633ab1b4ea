/**
 * What the demo provider shows: four channels and a guide of two-minute programmes, a pure function of the time. The
 * titles carry their start, so that no two programmes are taken for one; between them they fill all built-in lanes.
 */

export const PROGRAMME_MS = 2 * 60_000;
const AHEAD_MS = 24 * 3_600_000;
const BACK_MS = 3_600_000;

export interface DemoChannel {
  readonly number: number;
  readonly name: string;
  readonly group: string;
  readonly titles: readonly DemoTitle[];
}

interface DemoTitle {
  readonly title: string;
  readonly desc: string;
  readonly categories: readonly string[];
}

export const DEMO_CHANNELS: readonly DemoChannel[] = [
  {
    number: 1,
    name: 'Demo One',
    group: 'General',
    titles: [
      {
        title: 'Moving Squares',
        desc: 'Shapes on their way from left to right.',
        categories: ['Entertainment'],
      },
      { title: 'The Counter', desc: 'Somebody counts every frame.', categories: ['Documentary'] },
      { title: 'Test Card Report', desc: 'What happened on the test card.', categories: ['News'] },
    ],
  },
  {
    number: 2,
    name: 'Demo Sports',
    group: 'Sports',
    titles: [
      { title: 'Bars vs Bars', desc: 'The grey side meets the coloured side.', categories: ['Sports'] },
      {
        title: 'White Box Sprint',
        desc: 'One runner, no rival, 320 points.',
        categories: ['Sports', 'Athletics'],
      },
    ],
  },
  {
    number: 3,
    name: 'Demo Movies',
    group: 'Movies',
    titles: [
      {
        title: 'Into the Set',
        desc: 'A journey to the edge of the fractal.',
        categories: ['Movie', 'Adventure'],
      },
      { title: 'The Boundary', desc: 'Nobody has seen all of it.', categories: ['Film', 'Drama'] },
    ],
  },
  {
    number: 4,
    name: 'Demo Life',
    group: 'General',
    titles: [
      { title: 'Cells', desc: 'Three neighbours are a birth, four are too many.', categories: ['Nature'] },
      { title: 'Gliders', desc: 'They travel, if they meet nobody.', categories: ['Nature'] },
    ],
  },
];

export interface DemoProgramme {
  readonly channel: number;
  readonly title: string;
  readonly desc: string;
  readonly categories: readonly string[];
  readonly startAt: number;
  readonly stopAt: number;
}

/** Channels 2 to 4 change programme at fixed times, 40 s apart; channel 1 does at `firstStartAt` and every two minutes. */
export function demoProgrammes(now: number, firstStartAt: number): DemoProgramme[] {
  return DEMO_CHANNELS.flatMap((channel) => {
    const phase = channel.number === 1 ? firstStartAt % PROGRAMME_MS : (channel.number - 2) * 40_000;
    const first = Math.floor((now - BACK_MS - phase) / PROGRAMME_MS);
    const count = Math.ceil((BACK_MS + AHEAD_MS) / PROGRAMME_MS) + 1;
    return Array.from({ length: count }, (_, i) => programmeAt(channel, (first + i) * PROGRAMME_MS + phase));
  });
}

function programmeAt(channel: DemoChannel, startAt: number): DemoProgramme {
  const slot = Math.floor(startAt / PROGRAMME_MS);
  const show = channel.titles[slot % channel.titles.length];
  const when = new Date(startAt).toISOString().slice(5, 19).replace('T', ' ');
  return {
    channel: channel.number,
    title: `${show?.title ?? channel.name} ${when}`,
    desc: show?.desc ?? '',
    categories: show?.categories ?? [],
    startAt,
    stopAt: startAt + PROGRAMME_MS,
  };
}

/** `url` is the provider's own, without a slash at its end. */
export function demoM3u(url: string): string {
  const rows = DEMO_CHANNELS.map(({ number, name, group }) => {
    const fields = `tvg-id="${tvgId(number)}" tvg-chno="${number}" tvg-name="${name}" group-title="${group}"`;
    return `#EXTINF:-1 ${fields},${name}\n${url}/stream/${number}.ts\n`;
  });
  return `#EXTM3U x-tvg-url="${url}/guide.xml"\n${rows.join('')}`;
}

export function demoXmltv(programmes: readonly DemoProgramme[]): string {
  const channels = DEMO_CHANNELS.map(
    ({ number, name }) =>
      `  <channel id="${tvgId(number)}"><display-name>${name}</display-name><display-name>${number}</display-name></channel>\n`,
  );
  const shows = programmes.map(({ channel, title, desc, categories, startAt, stopAt }) => {
    const times = `start="${xmltvTime(startAt)}" stop="${xmltvTime(stopAt)}" channel="${tvgId(channel)}"`;
    const kinds = categories.map((category) => `<category>${category}</category>`).join('');
    return `  <programme ${times}><title>${title}</title><desc>${desc}</desc>${kinds}</programme>\n`;
  });
  const head = '<?xml version="1.0" encoding="UTF-8"?>\n<tv generator-info-name="catchupd demo">\n';
  return `${head}${channels.join('')}${shows.join('')}</tv>\n`;
}

function tvgId(number: number): string {
  return `demo.${number}`;
}

function xmltvTime(at: number): string {
  return `${new Date(at).toISOString().replace(/[-:T]/g, '').slice(0, 14)} +0000`;
}
