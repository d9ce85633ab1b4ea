/** What became of a programme, held against what its channel sent and what the storm did (P1 to P4). */
import type { Entry } from '../../src/runtime/entries.js';
import { SLACK_MS, type Blame } from './blame.js';
import type { DaemonWorld } from './daemonWorld.js';
import type { Showing } from './provider.js';
import type { Ask } from './questions.js';
import type { Storm } from './storm.js';
import { UNIT_MS, type Unit } from './syntheticTs.js';

export interface Fate {
  readonly entry: Entry;
  readonly units: readonly Unit[];
}

export interface Court {
  readonly ask: Ask;
  readonly blame: Blame;
  readonly storm: Storm;
  readonly world: DaemonWorld;
}

export function judgeFate(
  { ask, blame, storm, world }: Court,
  showing: Showing,
  { entry, units }: Fate,
): void {
  const { excused, wasFull } = blame;
  const { recording, path } = entry;
  const { outcome = '', reason = '', gaps = [] } = recording.result ?? {};
  const name = `${entry.id} ${showing.channel.number} ${new Date(showing.startAt).toISOString()} ${showing.title}`;
  ask('P4', outcome === 'complete' || reason !== '', () => `${name}: ${outcome} without a reason`);
  ask('P10', recording.reason !== '', () => `${name}: recorded for no reason`);
  if (path === 'published')
    ask(
      'P2',
      units.every(({ channel }) => channel === showing.channel.number),
      () => `${name}: another channel`,
    );
  const steps = units.slice(1).map((unit, index) => unit.index - (units[index]?.index ?? 0));
  const repeats = steps.filter((step) => step < 1).length;
  ask(
    'P2',
    repeats <= recording.joins.length,
    () => `${name}: ${repeats} repeats, ${recording.joins.length} joints`,
  );
  // A single unit that comes again may be in it twice: it is not seen as a whole before the joint is made (P1).
  const back = steps.findIndex((step) => step < 0);
  ask('P2', back < 0, () => `${name}: at its unit ${back + 1} it goes back by ${-(steps[back] ?? 0)}`);
  if (outcome === 'missed' || outcome === 'empty') {
    const at = recording.window.startAt;
    const isExcused =
      excused(at, showing.channel.number) || wasFull(at) || excused(showing.stopAt, showing.channel.number);
    ask('P3', isExcused, () => `${name}: ${outcome} (${reason}) for no cause`);
    return;
  }
  // P3, P4: every unit of the programme is in the file, or in a gap that tells why, and something is to blame.
  const have = new Set(units.map(({ index }) => index));
  for (
    let index = Math.ceil(showing.startAt / UNIT_MS) + 1;
    (index + 2) * UNIT_MS < showing.stopAt;
    index += 1
  ) {
    const at = index * UNIT_MS;
    if (have.has(index)) continue;
    const told = gaps.some(({ fromAt, toAt }) => at >= fromAt - 3 * UNIT_MS && at <= toAt + 3 * UNIT_MS);
    ask(
      'P4',
      told,
      () =>
        `${name}: nothing is told of what is missing at ${new Date(at).toISOString()}, gaps ${JSON.stringify(gaps)}`,
    );
    const blamed = excused(at, showing.channel.number) || wasFull(at) || at < world.startAt + 10_000;
    ask(
      'P3',
      blamed,
      () => `${name}: missing for no cause at ${new Date(at).toISOString()}, gaps ${JSON.stringify(gaps)}`,
    );
    if (!told || !blamed) return;
  }
  // P4: nobody is blamed who was not there.
  for (const { fromAt, toAt, cause } of gaps) {
    if (cause !== 'restart' || toAt - fromAt < 2 * UNIT_MS) continue;
    const isTrue = storm.excuses.some(
      ({ kind, ...excuse }) =>
        (kind === 'kill' || kind === 'power_cut') &&
        excuse.fromAt - SLACK_MS <= toAt &&
        excuse.toAt + SLACK_MS >= fromAt,
    );
    ask(
      'P4',
      isTrue,
      () => `${name}: a gap (${cause}) at ${new Date(fromAt).toISOString()} without a restart`,
    );
  }
  // P4: and what is claimed to be missing is.
  for (const { fromAt, toAt, cause } of gaps) {
    const inside = units.filter(
      ({ index }) => index * UNIT_MS > fromAt + 3 * UNIT_MS && (index + 4) * UNIT_MS < toAt,
    );
    // A connection that was taken away at once has brought one unit, and no time.
    const moments = recording.stretches.filter((one) => one.fromAt >= fromAt && one.toAt <= toAt).length;
    ask(
      'P4',
      inside.length <= moments,
      () => `${name}: a gap (${cause}) of ${toAt - fromAt} ms that is there`,
    );
  }
}

/** P2: one thing at a time is on a channel, whatever the guide calls it, so one recording at a time is of it. */
export function judgeBookings(ask: Ask, entries: Iterable<Entry>): void {
  const last = new Map<string, Entry>();
  for (const entry of [...entries].toSorted(
    (one, other) => one.recording.capsule.startAt - other.recording.capsule.startAt,
  )) {
    const { guideNumber, startAt, title } = entry.recording.capsule;
    const before = last.get(guideNumber);
    last.set(guideNumber, entry);
    ask(
      'P2',
      !before || before.recording.capsule.stopAt <= startAt,
      () =>
        `${guideNumber} ${new Date(startAt).toISOString()}: ${entry.id} (${title}) and ${before?.id} (${before?.recording.capsule.title}) are of the same time`,
    );
  }
}
