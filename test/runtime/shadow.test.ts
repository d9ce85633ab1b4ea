/** What is told of a recording that is over is less than what is known of it, and decides as much. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { plan } from '../../src/domain/plan.js';
import { shadowOf } from '../../src/runtime/shadow.js';
import { aRecording } from '../domain/aRecording.js';
import { capsuleAt, DAY, HOUR, known, MINUTE, POLICY } from '../domain/programmes.js';

const now = DAY + 12 * HOUR;
const text = fc.constantFrom('', ' ', 'Told');
/** Few titles and times, so that they meet; `One` is the name of the channel. */
const programme = fc
  .record({
    slot: fc.nat(6),
    title: fc.constantFrom('One', 'Show', 'News'),
    desc: text,
    subTitle: text,
    categories: fc.constantFrom<readonly string[]>([], [''], ['News']),
    episode: fc.constantFrom('', 's01e02'),
  })
  .map(({ slot, title, ...more }) => {
    const startAt = now - HOUR + slot * 20 * MINUTE;
    return capsuleAt(startAt, startAt + HOUR, title, { ...more, channelName: 'One' });
  });

it('plans the same with what is told of a recording that is over as with all of it', () => {
  fc.assert(
    fc.property(fc.array(programme, { maxLength: 6 }), programme, fc.boolean(), (rows, own, isFirst) => {
      const entry = { id: '1a2b', recording: aRecording({ capsule: own }), rev: 1, updatedAt: 0 };
      const { capsule } = shadowOf({ ...entry, path: 'published' });
      const planWith = (told: typeof own) => {
        const previousRowKeys = isFirst ? null : new Set([own.recordKey]);
        const one = { ...known(own, 'done'), capsule: told };
        return plan({ capsules: rows, known: [one], tombstones: [], now, previousRowKeys, policy: POLICY });
      };
      expect(planWith(capsule)).toEqual(planWith(own));
    }),
    { numRuns: 1_000 },
  );
});

it('tells of one that goes on everything, and of one that is over neither its text nor its upstreams', () => {
  const recording = aRecording();
  const of = (path: string) => shadowOf({ id: '1a2b', recording, path, rev: 1, updatedAt: 0 }).capsule;
  expect(of('spooling.open')).toBe(recording.capsule);
  expect(of('published')).toEqual({ ...recording.capsule, desc: '-', upstreams: [] });
});
