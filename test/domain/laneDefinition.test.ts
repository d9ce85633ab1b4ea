import { describe, expect, it } from 'vitest';
import { readLaneDefinitions } from '../../src/config/laneDefinitions.js';
import { BUILT_IN_LANES, laneOf, paddingOf, priorityOf, type LaneFacts } from '../../src/domain/lane.js';
import { kindOfLane, laneNames, lanesOf } from '../../src/domain/laneDefinition.js';
import { capsule, HOUR, MINUTE } from './programmes.js';

type Item = Parameters<typeof readLaneDefinitions>[0];
const read = (...items: Item[]) => readLaneDefinitions(items, 'c.yaml:3 lane-definitions');
const lanes = (...items: Item[]) => {
  const { lanes: own, problems } = read(...items);
  expect(problems).toEqual([]);
  return lanesOf(own, { padded: true });
};
const facts = (title: string, more: Partial<LaneFacts> = {}): LaneFacts => ({
  title,
  categories: [],
  group: '',
  channelName: '',
  ...more,
});

describe('lanes of one’s own', () => {
  it.each<[string, Item, LaneFacts, LaneFacts]>([
    [
      'a word anywhere in a category',
      { category: 'child' },
      facts('Peppa', { categories: ["Children's"] }),
      facts('child'),
    ],
    ['a word anywhere in the title', { title: 'peppa' }, facts('The PEPPA hour'), facts('Pepa')],
    ['a glob over the whole title', { title: 'Peppa *' }, facts('peppa pig'), facts('The Peppa hour')],
    [
      'a group, also one of several',
      { group: 'Kids' },
      facts('x', { group: 'UK;Kids' }),
      facts('x', { group: 'UK Kids' }),
    ],
    [
      'a channel by name or id',
      { channel: ['CBeebies', 'cbbc.uk'] },
      facts('x', { channelNames: ['CBBC.uk'] }),
      facts('x', { channelName: 'CBeebies 2' }),
    ],
    [
      'all fields together',
      { group: 'Kids', title: 'News' },
      facts('Newsround', { group: 'kids' }),
      facts('Newsround'),
    ],
    [
      'what is not excluded',
      { group: 'Kids', exclude: { title: 'advert' } },
      facts('Pingu', { group: 'Kids' }),
      facts('Adverts', { group: 'Kids' }),
    ],
    [
      'what is not excluded by !',
      { group: 'Kids', title: ['*', '!*advert*'] },
      facts('Pingu', { group: 'Kids' }),
      facts('Adverts', { group: 'Kids' }),
    ],
  ])('take %s', (_, match, inside, outside) => {
    const own = lanes({ name: 'kids', match });
    expect(laneOf(inside, own).name).toBe('kids');
    expect(laneOf(outside, own).name).not.toBe('kids');
  });

  it('are tried in their order before the built-in ones; of several matches any is enough', () => {
    const own = lanes(
      { name: 'derby', match: [{ title: 'Derby' }, { channel: 'Derby TV' }] },
      { name: 'all-sport', match: { category: 'sport' } },
    );
    expect(laneOf(facts('Derby', { categories: ['Sport'] }), own).name).toBe('derby');
    expect(laneOf(facts('x', { channelName: 'derby tv' }), own).name).toBe('derby');
    expect(laneOf(facts('x', { categories: ['Sport'] }), own).name).toBe('all-sport');
    expect(laneOf(facts('a vs b'), own).name).toBe('sports');
  });

  it('have what is said of them and else what general has', () => {
    const [kids] = lanes({
      name: 'Kids',
      match: { group: 'Kids' },
      priority: '25',
      keep: '7d',
      padding: '5m',
    });
    expect(kids).toMatchObject({ name: 'kids', priority: 25, keepMs: 7 * 24 * HOUR });
    expect(kids?.padding).toEqual({ before: null, after: { kind: 'time', ms: 5 * MINUTE } });
    const [plain] = lanes({ name: 'plain', match: { group: 'Kids' } });
    expect(plain).toMatchObject({ priority: 10, keepMs: 24 * HOUR });
  });

  it('are films or broadcasts to media servers unless they say that they are series', () => {
    const { lanes: own } = read(
      { name: 'soaps', match: { category: 'soap' }, kind: 'shows' },
      { name: 'kids', match: { group: 'Kids' } },
      { name: 'general', kind: 'shows' },
    );
    const kinds = ['soaps', 'kids', 'general', 'movies', 'gone'].map((name) => kindOfLane(name, own));
    expect(kinds).toEqual(['shows', 'movies', 'shows', 'movies', 'movies']);
  });

  it('with a priority of their own are not raised for news', () => {
    const own = lanes({ name: 'local', match: { title: 'Local' }, priority: '5' });
    const news = capsule('20:00', '21:00', 'Local news', { categories: ['News'], lane: 'local' });
    expect(priorityOf(news, own)).toBe(5);
    expect(priorityOf({ ...news, lane: 'general' }, own)).toBe(20);
  });

  it('by the name of a built-in lane without a match change what that lane does', () => {
    const own = lanes({ name: 'movies', priority: '40', padding: { before: '1m', after: '10m' } });
    expect(own.map(({ name }) => name)).toEqual(BUILT_IN_LANES.map(({ name }) => name));
    expect(own.find(({ name }) => name === 'movies')).toMatchObject({ priority: 40, keepMs: 72 * HOUR });
    const definitions = read(
      { name: 'sports', match: { channel: 'Sky*' } },
      { name: 'kids', match: { title: 'x' } },
    );
    expect(laneNames(definitions.lanes)).toEqual(['sports', 'kids', 'movies', 'general']);
  });

  it.each<[string, Item, string]>([
    ['a key that does not exist', { name: 'x', match: { title: 'y' }, keeep: '7d' }, 'keeep'],
    ['a field of match that does not exist', { name: 'x', match: { titel: 'y' } }, 'titel'],
    ['no match', { name: 'x' }, 'nothing would ever come into it'],
    ['a match of nothing', { name: 'x', match: {} }, 'names no pattern'],
    ['a time that is none', { name: 'x', match: { title: 'y' }, keep: 'long' }, '72h or 7d'],
    ['a padding that is none', { name: 'x', match: { title: 'y' }, padding: { after: 'long' } }, '5m or 20%'],
    ['a name that is no folder', { name: '../x', match: { title: 'y' } }, 'is no name of a lane'],
    ['a kind that is none', { name: 'x', match: { title: 'y' }, kind: 'series' }, 'is one of movies, shows'],
    ['something else', 'kids', 'lane-definitions 1'],
  ])('are refused with %s, and the place is named', (_, item, message) => {
    const { problems } = read(item);
    expect(problems).not.toEqual([]);
    const said = problems.map(({ origin, message: text }) => `${origin}: ${text}`).join('\n');
    expect(said).toContain(message);
    expect(said).toContain('c.yaml:3 lane-definitions');
  });

  it('are refused where two have one name', () => {
    const twice = { name: 'x', match: { title: 'y' } };
    expect(read(twice, twice).problems[0]?.message).toContain('twice');
  });
});

describe('padding', () => {
  const ms = { beforeMs: 15_000, afterMs: 60_000 };
  const match = (from: string, to: string) => capsule(from, to, 'a vs b');

  it('of sports is a fifth of the programme after it, at most half an hour', () => {
    expect(paddingOf(match('20:00', '21:00'), ms)).toEqual({ beforeMs: 15_000, afterMs: 12 * MINUTE });
    expect(paddingOf(match('12:00', '18:00'), ms).afterMs).toBe(30 * MINUTE);
    expect(paddingOf(capsule('20:00', '21:00', 'Film'), ms).afterMs).toBe(60_000);
  });

  it('of sports is that of all where somebody said how long', () => {
    const said = lanesOf([], { padded: false });
    expect(paddingOf(match('20:00', '21:00'), ms, said)).toEqual(ms);
  });

  it('of a lane is what its definition says, whatever is said for all', () => {
    const { lanes: own } = read({ name: 'sports', padding: { before: '2m', after: '50%' } });
    const said = lanesOf(own, { padded: false });
    expect(paddingOf(match('20:00', '20:40'), ms, said)).toEqual({ beforeMs: 120_000, afterMs: 20 * MINUTE });
  });
});
