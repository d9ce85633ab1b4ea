import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  buildCapsules,
  capsuleId,
  normTitle,
  recordKey,
  surveyCapsules,
  type CapsuleInput,
} from '../../src/domain/capsules.js';
import { at, channel, guide, HOUR, MINUTE, programme } from './programmes.js';

const now = at('19:45');
const build = (more: Partial<CapsuleInput>) =>
  buildCapsules({ channels: [], guides: [], now, horizonMs: 3 * HOUR, relay: false, ...more });
const one = channel('BBC One', { tvgId: 'BBCOne.uk', guideNumber: '101' });
const names = { 'BBCOne.uk': ['BBC One'] };

describe('identity strings', () => {
  it('agree with the published vectors', () => {
    const startAt = Date.UTC(2026, 10, 23, 19, 30);
    expect(capsuleId('dna-6398cc29ed163b32', startAt, 'Tom & Jerry: The Movie')).toBe(
      'dna-6398cc29ed163b32:202611231930:tom-and-jerry--the-movie',
    );
    expect(normTitle('Tom & Jerry: The-Movie / 2')).toBe('tom and jerry the movie 2');
    expect(recordKey('Dna-1', startAt, 'Tom & Jerry: The-Movie / 2')).toBe(
      'dna-1|2026-11-23t19:30:00z|tom and jerry the movie 2',
    );
    expect(capsuleId('', startAt, ' A/B ')).toBe('capsule:202611231930:a-b');
  });
});

describe('buildCapsules', () => {
  it('makes a capsule of a programme, with references in place of addresses', () => {
    const row = { ...one, group: 'UK', urls: ['http://h/live/u/p/1.ts', 'http://h/live/u/p/2.ts'] };
    const shown = programme('BBCOne.uk', '19:30', '21:30', 'Man Utd vs City', {
      subTitle: 'Sub',
      desc: 'D',
      categories: ['Sport'],
      episode: 's1e2',
    });
    expect(build({ channels: [row], guides: [guide(names, [shown])] })).toEqual([
      {
        capsuleId: 'dna-6398cc29ed163b32:202611231930:man-utd-vs-city',
        recordKey: 'dna-6398cc29ed163b32|2026-11-23t19:30:00z|man utd vs city',
        dnaId: 'dna-6398cc29ed163b32',
        channelId: 'bbc-one',
        guideNumber: '101',
        tvgId: 'BBCOne.uk',
        channelName: 'BBC One',
        group: 'UK',
        title: 'Man Utd vs City',
        subTitle: 'Sub',
        desc: 'D',
        categories: ['Sport'],
        episode: 's1e2',
        lane: 'sports',
        startAt: at('19:30'),
        stopAt: at('21:30'),
        upstreams: [
          { source: 'list', channel: 'bbc-one', index: 0 },
          { source: 'list', channel: 'bbc-one', index: 1 },
        ],
      },
    ]);
  });

  it('keeps what ends now or later and starts within the horizon', () => {
    const shown = [
      programme('BBCOne.uk', '19:00', '19:44', 'over'),
      programme('BBCOne.uk', '19:44', '19:45', 'ends'),
      programme('BBCOne.uk', '19:45', '22:45', 'on'),
      programme('BBCOne.uk', '22:45', '23:00', 'last'),
      programme('BBCOne.uk', '22:46', '23:50', 'too late'),
    ];
    expect(build({ channels: [one], guides: [guide(names, shown)] }).map(({ title }) => title)).toEqual([
      'on',
      'last',
      'ends',
    ]);
  });

  it('sorts by state, lane, stop and channel', () => {
    const two = channel('Alpha', { tvgId: 'alpha' });
    const shown = [
      programme('BBCOne.uk', '20:00', '21:00', 'later'),
      programme('BBCOne.uk', '19:00', '20:00', 'film', { categories: ['Film'] }),
      programme('alpha', '19:00', '20:00', 'general'),
      programme('alpha', '20:00', '22:00', 'a vs b'),
      programme('alpha', '22:00', '23:00', 'c vs d'),
    ];
    const capsules = build({ channels: [one, two], guides: [guide({ ...names, alpha: [] }, shown)] });
    expect(capsules.map(({ title }) => title)).toEqual(['film', 'general', 'a vs b', 'c vs d', 'later']);
  });

  it('calls a programme without a title by its channel', () => {
    const [capsule] = build({
      channels: [one],
      guides: [guide(names, [programme('BBCOne.uk', '20:00', '21:00', ' ')])],
    });
    expect(capsule?.title).toBe('BBC One');
  });

  it('makes one capsule of the variants of a channel, the best picture first', () => {
    const sd = channel('BBC One SD', { tvgId: 'BBCOne.uk', quality: 0 });
    const hd = channel('BBC One HD', {
      tvgId: 'bbcone.uk',
      quality: 1,
      urls: ['http://h/hd', 'http://h/bbc-one-sd'],
    });
    const other = channel('BBC One', { tvgId: 'BBCOne.uk', source: 'second', urls: ['http://k/1'] });
    const shown = guide(names, [programme('BBCOne.uk', '20:00', '21:00', 'T')]);
    const capsules = build({ channels: [sd, other, hd], guides: [shown] });
    expect(capsules).toHaveLength(1);
    expect(capsules[0]).toMatchObject({
      channelName: 'BBC One HD',
      upstreams: [
        { source: 'list', channel: 'bbc-one-hd', index: 0 },
        { source: 'list', channel: 'bbc-one-hd', index: 1 },
        { source: 'second', channel: 'bbc-one', index: 0 },
      ],
    });
  });

  it('keeps two channels with one title at one minute apart', () => {
    const two = channel('BBC Two', { tvgId: 'two' });
    const shown = [
      programme('BBCOne.uk', '20:00', '21:00', 'News'),
      programme('two', '20:00', '21:00', 'News'),
    ];
    expect(build({ channels: [one, two], guides: [guide({ ...names, two: [] }, shown)] })).toHaveLength(2);
  });

  it('takes the guide that has programmes, then the surer match, then the first', () => {
    const silent = guide(names, []);
    const byName = guide({ x: ['BBC One'] }, [programme('x', '20:00', '21:00', 'by name')]);
    const byId = guide(names, [programme('BBCOne.uk', '20:00', '21:00', 'by id')]);
    const second = guide(names, [programme('BBCOne.uk', '20:00', '21:00', 'second')]);
    const titleOf = (...guides: readonly ReturnType<typeof guide>[]) =>
      build({ channels: [one], guides }).map(({ title }) => title);
    expect(titleOf(silent, byName)).toEqual(['by name']);
    expect(titleOf(byName, byId)).toEqual(['by id']);
    expect(titleOf(byId, second)).toEqual(['by id']);
  });

  it('puts the relay in front and knows channels that only the guide has', () => {
    const shown = guide({ ...names, 7: ['Local TV'], silent: ['S'] }, [
      programme('BBCOne.uk', '20:00', '21:00', 'T'),
      programme('7', '20:00', '21:00', 'U'),
    ]);
    const capsules = build({ channels: [one], guides: [shown], relay: true });
    expect(
      capsules.map(({ title, channelId, guideNumber, channelName, upstreams }) => [
        title,
        channelId,
        guideNumber,
        channelName,
        upstreams,
      ]),
    ).toEqual([
      [
        'T',
        'bbc-one',
        '101',
        'BBC One',
        [
          { source: 'relay', channel: 'bbc-one', index: 0 },
          { source: 'list', channel: 'bbc-one', index: 0 },
        ],
      ],
      ['U', '7', '7', 'Local TV', [{ source: 'relay', channel: '7', index: 0 }]],
    ]);
    expect(build({ channels: [one], guides: [shown] }).map(({ title }) => title)).toEqual(['T']);
  });

  it('uses the accepted rows of a channel alone, and all where none is accepted', () => {
    const sd = channel('BBC One SD', { tvgId: 'BBCOne.uk', quality: 0 });
    const hd = channel('BBC One HD', { tvgId: 'BBCOne.uk', quality: 1 });
    const input = {
      channels: [sd, hd],
      guides: [guide(names, [programme('BBCOne.uk', '20:00', '21:00', 'T')])],
    };
    expect(build({ ...input, accepts: (row) => row === sd })[0]).toMatchObject({
      channelName: 'BBC One SD',
      upstreams: [{ channel: 'bbc-one-sd' }],
    });
    expect(build({ ...input, accepts: () => false })[0]?.upstreams).toHaveLength(2);
  });

  it('does not depend on the order of lists and rows', () => {
    const rows = [
      one,
      channel('BBC One HD', { tvgId: 'BBCOne.uk', quality: 1 }),
      channel('ITV', { source: 'b' }),
      channel('ITV', { source: 'a' }),
    ];
    const shown = guide({ ...names, itv: ['ITV'] }, [
      programme('BBCOne.uk', '20:00', '21:00', 'T'),
      programme('itv', '20:00', '21:00', 'T'),
    ]);
    const expected = build({ channels: rows, guides: [shown] });
    fc.assert(
      fc.property(fc.shuffledSubarray(rows, { minLength: rows.length }), (channels) => {
        expect(build({ channels, guides: [shown] })).toEqual(expected);
      }),
    );
  });

  it('shows no login of an address', () => {
    const row = { ...one, urls: ['http://h/live/alice/secret/1.ts'] };
    const capsules = build({
      channels: [row],
      guides: [guide(names, [programme('BBCOne.uk', '20:00', '21:00', 'T')])],
    });
    expect(JSON.stringify(capsules)).not.toMatch(/alice|secret/);
  });
});

describe('surveyCapsules', () => {
  it('says what the guide is worth for each channel', () => {
    const channels = [one, channel('By Name'), channel('Filler'), channel('Silent'), channel('Unknown')];
    const shown = guide({ ...names, n: ['By Name'], f: ['Filler'], s: ['Silent'] }, [
      programme('BBCOne.uk', '20:00', '21:00', 'T'),
      programme('n', '20:00', '21:00', 'T'),
      programme('f', '20:00', '21:00', 'FILLER'),
    ]);
    const { health } = surveyCapsules({ channels, guides: [shown], now, horizonMs: HOUR, relay: false });
    expect(channels.map(({ dnaId }) => health.get(dnaId))).toEqual([
      'healthy',
      'good',
      'placeholder_only',
      'matched_no_programmes',
      'unlinked',
    ]);
  });

  it('takes a guide of 20,000 programmes in its stride', () => {
    const channels = Array.from({ length: 500 }, (_, i) => channel(`Station ${i} x`, { tvgId: `c${i}` }));
    const shown = channels.flatMap((row) =>
      Array.from({ length: 40 }, (_, i) => ({
        ...programme(row.tvgId, '20:00', '20:05', `P${i}`),
        startAt: now + i * 5 * MINUTE,
        stopAt: now + (i + 1) * 5 * MINUTE,
      })),
    );
    const listed = Object.fromEntries(channels.map(({ tvgId, guideName }) => [tvgId, [guideName]]));
    expect(build({ channels, guides: [guide(listed, shown)], horizonMs: 24 * HOUR })).toHaveLength(20_000);
  });
});

describe('channels whose programmes are on at other times than the guide says', () => {
  const shown = [programme('BBCOne.uk', '19:30', '20:30', 'News', { desc: 'D' })];
  const plusOne = channel('BBC One +1', {
    tvgId: 'BBCOne.uk',
    dnaId: one.dnaId,
    guideShiftMs: HOUR,
    urls: ['http://h/2.ts'],
  });

  it('have them then, and never stand in for the channel that the guide speaks of', () => {
    const found = build({ channels: [plusOne, one], guides: [guide(names, shown)] });
    const told = found.map(({ channelName, startAt, stopAt, dnaId, upstreams }) => ({
      channelName,
      startAt,
      stopAt,
      dnaId,
      channels: upstreams.map(({ channel: id }) => id),
    }));
    expect(told).toEqual([
      {
        channelName: 'BBC One',
        startAt: at('19:30'),
        stopAt: at('20:30'),
        dnaId: one.dnaId,
        channels: ['bbc-one'],
      },
      {
        channelName: 'BBC One +1',
        startAt: at('20:30'),
        stopAt: at('21:30'),
        dnaId: `${one.dnaId}+60m`,
        channels: ['bbc-one-+1'],
      },
    ]);
  });

  it('keep their identity where all of them are, as where a guide is wrong by hours', () => {
    const late = { ...one, guideShiftMs: HOUR };
    const [found] = build({ channels: [late, { ...late, source: 'other' }], guides: [guide(names, shown)] });
    expect(found).toMatchObject({ dnaId: one.dnaId, startAt: at('20:30'), stopAt: at('21:30') });
  });
});

it('knows where a picture of a programme is, unless its address carries a login', () => {
  const iconOf = (icon: string) => {
    const shown = programme('BBCOne.uk', '19:30', '20:30', 'News', { icon });
    return build({ channels: [one], guides: [guide(names, [shown])] })[0]?.icon;
  };
  const open = 'https://pics.example/a%20b.jpg?size=2';
  expect(iconOf(open)).toBe(open);
  for (const icon of ['', 'pic.jpg', 'file:///etc/passwd', 'http://u:p@h/x.png', 'http://h/x.png?password=p'])
    expect(iconOf(icon)).toBeUndefined();
});
