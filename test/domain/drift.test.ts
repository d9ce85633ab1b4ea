import { describe, expect, it } from 'vitest';
import type { Capsule } from '../../src/domain/capsule.js';
import type { KnownRecording } from '../../src/domain/identity.js';
import { plan, rowKeysOf, type PlanInput } from '../../src/domain/plan.js';
import { at, capsule, known, MINUTE, POLICY, tombstone } from './programmes.js';

const now = at('20:00');
const decide = (capsules: readonly Capsule[], more: Partial<PlanInput> = {}) =>
  plan({ capsules, known: [], tombstones: [], now, previousRowKeys: null, policy: POLICY, ...more });
const words = (capsules: readonly Capsule[], more: Partial<PlanInput> = {}) =>
  decide(capsules, more).map(({ capsule: row, action, reason }) => `${row.title}: ${action} ${reason}`);
/** A load in which `before` was planned, and then `after`. */
const next = (
  before: readonly Capsule[],
  after: readonly Capsule[],
  state: KnownRecording['state'] = 'scheduled',
) => decide(after, { known: before.map((row) => known(row, state)), previousRowKeys: rowKeysOf(before) });
const nextWords = (
  before: readonly Capsule[],
  after: readonly Capsule[],
  state: KnownRecording['state'] = 'scheduled',
) =>
  next(before, after, state).map(({ capsule: row, action, reason }) => `${row.title}: ${action} ${reason}`);

describe('a programme that the guide moves', () => {
  const film = capsule('21:00', '22:30', 'Film');

  it('by ten minutes is one recording', () => {
    const moved = capsule('21:10', '22:40', 'Film');
    expect(next([film], [moved])).toMatchObject([
      { action: 'move', reason: 'moved', recordingId: known(film, 'scheduled').id, capsule: moved },
    ]);
  });

  it.each(['scheduled', 'running'] as const)(
    'keeps the number of its episode where the guide drops it, %s',
    (state) => {
      const numbered = capsule('20:00', '21:30', 'Show', { episode: 's1e1' });
      const [decision] = next([numbered], [capsule('20:00', '21:45', 'Show')], state);
      expect(decision).toMatchObject({ action: 'extend', capsule: { episode: 's1e1' } });
      expect(nextWords([numbered], [capsule('20:00', '21:30', 'Show')], state)[0]).toMatch(
        /^Show: skip already/,
      );
      const again = capsule('23:00', '24:00', 'Show', { episode: 's1e1', dnaId: 'dna-two' });
      expect(nextWords([numbered], [capsule('20:00', '21:45', 'Show'), again], state)).toContain(
        'Show: skip repeat',
      );
    },
  );

  it('earlier is one too', () => {
    expect(nextWords([film], [capsule('20:40', '22:10', 'Film')])).toEqual(['Film: move moved']);
  });

  it('by hours is another one, as long as the two do not touch', () => {
    expect(nextWords([film], [capsule('22:31', '24:00', 'Film')])).toEqual(['Film: record scheduled']);
    expect(nextWords([film], [capsule('22:29', '24:00', 'Film')])).toEqual(['Film: move moved']);
  });

  it('is known by its episode under another title', () => {
    const before = capsule('21:00', '21:30', 'Show', { episode: 's1e4' });
    expect(nextWords([before], [capsule('21:05', '21:35', 'Show: The Heist', { episode: 's1e4' })])).toEqual([
      'Show: The Heist: move moved',
    ]);
    expect(nextWords([before], [capsule('21:05', '21:35', 'Show', { episode: 's1e5' })])).toContain(
      'Show: record scheduled',
    );
  });

  it('prefers the row of its episode to the row that is nearer', () => {
    const before = [capsule('21:00', '21:05', 'Show', { episode: 'e1' })];
    const after = [capsule('21:01', '21:06', 'Show'), capsule('21:20', '21:25', 'Show', { episode: 'e1' })];
    expect(next(before, after)).toMatchObject([
      { action: 'record', capsule: { startAt: at('21:01') } },
      { action: 'move', capsule: { startAt: at('21:20') } },
    ]);
  });

  it('is not taken for its neighbour of the same title that was there before', () => {
    const pair = [capsule('21:00', '21:30', 'Simpsons'), capsule('21:30', '22:00', 'Simpsons')];
    expect(nextWords(pair.slice(0, 1), pair.slice(1))).toEqual(['Simpsons: move moved']);
    const decisions = decide(pair.slice(1), {
      known: pair.slice(0, 1).map((row) => known(row, 'scheduled')),
      previousRowKeys: rowKeysOf(pair),
    });
    expect(decisions).toMatchObject([{ action: 'record' }]);
  });

  it('stays where its own row stays, though another of its title comes near', () => {
    expect(nextWords([film], [film, capsule('22:30', '24:00', 'Film')])).toEqual([
      'Film: skip already_scheduled',
      'Film: record scheduled',
    ]);
  });

  it('on one channel is nothing to another', () => {
    expect(nextWords([film], [capsule('21:10', '22:40', 'Film', { dnaId: 'dna-two' })])).toEqual([
      'Film: record scheduled',
    ]);
  });

  it('back again is the same one still', () => {
    const moved = capsule('21:10', '22:40', 'Film');
    const again = known(moved, 'scheduled', { keys: [film.recordKey, moved.recordKey] });
    expect(words([film], { known: [again], previousRowKeys: rowKeysOf([film, moved]) })).toEqual([
      'Film: move moved',
    ]);
  });

  it('shifts a whole row of one title without losing or doubling any', () => {
    const rows = (from: number) =>
      Array.from({ length: 10 }, (_, i) => capsule(`21:${from + i * 5}`, `21:${from + i * 5 + 5}`, 'Short'));
    const decisions = next(rows(0), rows(2));
    expect(decisions.map(({ action }) => action)).toEqual(Array(10).fill('move'));
    expect(new Set(decisions.map(({ recordingId }) => recordingId)).size).toBe(10);
  });
});

describe('a programme that the guide renames', () => {
  it('at the same start is one recording', () => {
    const before = capsule('21:00', '22:00', 'To be announced');
    const after = capsule('21:00', '22:00', 'Grand Final');
    expect(next([before], [after])).toMatchObject([{ action: 'move', reason: 'retitled', capsule: after }]);
    expect(next([before], [after], 'running')).toMatchObject([
      { action: 'extend', reason: 'retitled', capsule: after },
    ]);
  });

  it('to what nobody wants is dropped', () => {
    const before = capsule('21:00', '22:00', 'a vs b');
    const after = capsule('21:00', '22:00', 'Concert');
    const policy = { ...POLICY, lanes: ['sports'] };
    expect(words([after], { known: [known(before, 'scheduled')], policy })).toEqual([
      'Concert: drop lane_excluded',
    ]);
  });

  it('to nothing but the name of the channel keeps what it had', () => {
    const before = capsule('21:00', '22:00', 'Film');
    expect(nextWords([before], [capsule('21:00', '22:00', 'ONE')])).toEqual(['ONE: skip already_scheduled']);
    expect(nextWords([before], [capsule('21:00', '45:00', 'Programme')])).toEqual([
      'Programme: skip already_scheduled',
    ]);
  });

  it('and describes anew takes the new words', () => {
    const before = capsule('21:00', '22:00', 'Film');
    expect(nextWords([before], [{ ...before, desc: 'Now with a description' }])).toEqual([
      'Film: move details_changed',
    ]);
    expect(nextWords([before], [{ ...before, upstreams: [] }])).toEqual(['Film: skip already_scheduled']);
  });
});

describe('a stop that the guide changes', () => {
  const match = capsule('19:00', '21:00', 'a vs b');
  const after = (stop: string) => capsule('19:00', stop, 'a vs b');

  it('extends what runs and what is scheduled', () => {
    expect(next([match], [after('21:30')], 'running')).toMatchObject([
      { action: 'extend', reason: 'stop_later', capsule: { stopAt: at('21:30') } },
    ]);
    const later = capsule('21:00', '22:00', 'T');
    expect(nextWords([later], [capsule('21:00', '22:10', 'T')])).toEqual(['T: extend stop_later']);
    expect(nextWords([later], [capsule('21:00', '21:50', 'T')])).toEqual(['T: extend stop_earlier']);
  });

  it('shortens what runs only where the next programme begins there', () => {
    expect(nextWords([match], [after('20:45')], 'running')).toEqual(['a vs b: skip already_recording']);
    expect(nextWords([match], [after('20:45'), capsule('21:00', '22:00', 'News')], 'running')[0]).toBe(
      'a vs b: skip already_recording',
    );
    expect(nextWords([match], [after('20:45'), capsule('20:45', '22:00', 'News')], 'running')[0]).toBe(
      'a vs b: extend stop_earlier',
    );
  });

  it('keeps the later stop when what runs is renamed and shortened without proof', () => {
    expect(next([match], [capsule('19:00', '20:45', 'c vs d')], 'running')).toMatchObject([
      { action: 'extend', reason: 'retitled', capsule: { title: 'c vs d', stopAt: at('21:00') } },
    ]);
  });

  it('moves with the start of what runs', () => {
    expect(next([match], [capsule('19:10', '21:10', 'a vs b')], 'running')).toMatchObject([
      { action: 'extend', reason: 'stop_later', capsule: { stopAt: at('21:10') } },
    ]);
  });

  it('is not believed when it makes the programme endless', () => {
    expect(nextWords([match], [capsule('19:00', '40:00', 'a vs b')], 'running')).toEqual([
      'a vs b: skip already_recording',
    ]);
  });
});

describe('a programme that the guide splits', () => {
  const match = capsule('19:00', '21:00', 'a vs b');
  const halves = [
    capsule('19:00', '19:45', 'a vs b: first half'),
    capsule('19:45', '20:05', 'Studio'),
    capsule('20:05', '21:00', 'a vs b: second half'),
  ];

  it('goes on as its first part where it runs, and the rest is recorded as what it is called now', () => {
    const early = halves.map((row, i) => (i === 0 ? { ...row, stopAt: at('20:05') } : row));
    expect(
      nextWords(
        [match],
        [early[0], early[2]].flatMap((row) => row ?? []),
        'running',
      ),
    ).toEqual(['a vs b: first half: extend stop_earlier', 'a vs b: second half: record scheduled']);
  });

  it('becomes one recording a part where it is still to come, none of them twice', () => {
    const ahead = capsule('20:30', '22:30', 'a vs b');
    const parts = [capsule('20:30', '21:15', 'a vs b'), capsule('21:15', '22:30', 'a vs b')];
    const decisions = next([ahead], parts);
    expect(decisions).toMatchObject([
      { action: 'extend', reason: 'stop_earlier', recordingId: known(ahead, 'scheduled').id },
      { action: 'record', capsule: { startAt: at('21:15') } },
    ]);
    expect(nextWords(parts, parts)).toEqual([
      'a vs b: skip already_scheduled',
      'a vs b: skip already_scheduled',
    ]);
  });

  it('leaves every minute of it to one of the parts', () => {
    const decisions = next([match], halves, 'running');
    const covered = decisions
      .filter(({ action }) => action !== 'drop')
      .map(({ capsule: { startAt, stopAt } }) => [startAt, stopAt]);
    // Studio is over at the hour of the test; what ran while it was on has it.
    expect(covered[0]).toEqual([at('19:00'), at('19:45')]);
    expect(covered.at(-1)).toEqual([at('20:05'), at('21:00')]);
  });
});

describe('programmes that the guide merges', () => {
  const parts = [capsule('21:00', '21:30', 'Part one'), capsule('21:30', '22:00', 'Part two')];
  const whole = capsule('21:00', '22:00', 'Double bill');

  it('become one recording of all of it where they are still to come', () => {
    expect(next(parts, [whole])).toMatchObject([
      { action: 'move', reason: 'retitled', capsule: whole },
      { action: 'drop', reason: 'gone', recordingId: known(parts[1] ?? whole, 'scheduled').id },
    ]);
  });

  it('become one where the first runs, which then runs on', () => {
    const on = [capsule('19:30', '20:30', 'Part one'), capsule('20:30', '21:30', 'Part two')];
    const [one, two] = on;
    if (!one || !two) throw new Error('two');
    const both = capsule('19:30', '21:30', 'Double bill');
    const decisions = decide([both], {
      known: [known(one, 'running'), known(two, 'scheduled')],
      previousRowKeys: rowKeysOf(on),
    });
    expect(decisions).toMatchObject([
      { action: 'extend', reason: 'stop_later', recordingId: known(one, 'running').id },
      { action: 'drop', reason: 'gone', recordingId: known(two, 'scheduled').id },
    ]);
  });

  it('stay two where the first is recorded and the second runs', () => {
    const [one, two] = [capsule('19:00', '19:50', 'Part one'), capsule('19:50', '20:40', 'Part two')];
    const both = capsule('19:00', '20:40', 'Double bill');
    expect(
      words([both], {
        known: [known(one, 'done'), known(two, 'running')],
        previousRowKeys: rowKeysOf([one, two]),
      }),
    ).toEqual(['Double bill: skip already_recorded']);
  });
});

describe('a programme that the guide no longer has', () => {
  const film = capsule('21:00', '22:00', 'Film');

  it('is dropped where something else fills its time', () => {
    expect(
      nextWords([film], [capsule('20:30', '21:30', 'Sitting'), capsule('21:30', '22:00', 'Other')]),
    ).toEqual(['Sitting: record scheduled', 'Film: drop gone', 'Other: record scheduled']);
  });

  it('stays where the guide is empty, lacks the channel, or shows less than half of its time', () => {
    expect(next([film], [])).toEqual([]);
    expect(nextWords([film], [capsule('21:00', '22:00', 'T', { dnaId: 'dna-two' })])).toEqual([
      'T: record scheduled',
    ]);
    expect(nextWords([film], [capsule('20:00', '21:29', 'T')])).toEqual(['T: record in_progress']);
  });

  it('stays where nothing but fillers take its place', () => {
    expect(nextWords([film], [capsule('20:30', '22:30', 'one')])).toEqual(['one: record scheduled']);
    expect(nextWords([film], [capsule('20:30', '44:30', 'Programme')])).toEqual(['Programme: skip too_long']);
  });

  it('stays while it runs, and where a person asked for it', () => {
    const other = capsule('20:30', '22:30', 'Other');
    expect(nextWords([film], [other], 'running')).toEqual(['Other: record scheduled']);
    expect(words([other], { known: [known(film, 'scheduled', { wanted: true })] })).toEqual([
      'Other: record scheduled',
    ]);
  });
});

describe('what is finished', () => {
  it('is not recorded again when the guide moves it upon itself', () => {
    const done = capsule('19:00', '20:00', 'Film');
    const moved = capsule('19:10', '20:10', 'Film');
    const id = known(done, 'done').id;
    expect(decide([moved], { known: [known(done, 'done')] })).toMatchObject([
      { action: 'skip', reason: 'already_recorded', recordingId: id, addKey: true },
    ]);
    expect(decide([moved], { tombstones: [tombstone(done)] })).toMatchObject([
      { action: 'skip', reason: 'already_recorded', recordingId: id, addKey: true },
    ]);
  });

  it('is not recorded again when the guide renames it', () => {
    const done = capsule('19:30', '20:30', 'Film');
    expect(decide([capsule('19:30', '20:30', 'Film (HD)')], { tombstones: [tombstone(done)] })).toMatchObject(
      [{ reason: 'already_recorded', addKey: true }],
    );
  });

  it('never passes for the next episode of its title', () => {
    const done = capsule('19:30', '20:00', 'Simpsons');
    const following = capsule('20:00', '20:30', 'Simpsons');
    const overlapping = capsule('19:55', '20:30', 'Simpsons');
    for (const row of [following, overlapping]) {
      expect(words([row], { known: [known(done, 'done')] })).toEqual(['Simpsons: record in_progress']);
      expect(
        words([row], { tombstones: [tombstone(done)], previousRowKeys: rowKeysOf([done, row]) }),
      ).toEqual(['Simpsons: record in_progress']);
    }
  });

  it('follows its programme when it was cancelled ahead and the guide then moves it', () => {
    const cancelled = capsule('21:00', '21:05', 'Short');
    const moved = capsule('21:15', '21:20', 'Short');
    expect(
      words([moved], { known: [known(cancelled, 'done')], previousRowKeys: rowKeysOf([cancelled]) }),
    ).toEqual(['Short: skip already_recorded']);
    expect(
      words([moved], { known: [known(cancelled, 'done')], previousRowKeys: rowKeysOf([cancelled, moved]) }),
    ).toEqual(['Short: record scheduled']);
  });
});

describe('a guide that shifts as a whole', () => {
  it('by an hour moves or renames what it has, and makes no more recordings than there are programmes', () => {
    const day = (shift: number) =>
      ['News', 'Film', 'Quiz', 'Late'].map((title, i) => {
        const startAt = at('21:00') + i * 60 * MINUTE + shift;
        return capsule(
          `${21 + i + shift / (60 * MINUTE)}:00`,
          `${22 + i + shift / (60 * MINUTE)}:00`,
          title,
          { startAt, stopAt: startAt + 60 * MINUTE },
        );
      });
    const decisions = next(day(0), day(60 * MINUTE));
    const active = decisions.filter(({ action }) => action !== 'drop' && action !== 'skip');
    expect(active).toHaveLength(4);
    expect(new Set(active.map(({ capsule: row }) => row.startAt)).size).toBe(4);
  });
});
