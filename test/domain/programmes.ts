/** Capsules, channels and guides for tests, from a few words each. */

import type { Capsule } from '../../src/domain/capsule.js';
import { capsuleId, recordKey } from '../../src/domain/capsules.js';
import type { Channel } from '../../src/domain/channel.js';
import { dnaId } from '../../src/domain/dna.js';
import type { KnownRecording } from '../../src/domain/identity.js';
import { laneOf } from '../../src/domain/lane.js';
import { plan, type PlanInput, type PlanPolicy } from '../../src/domain/plan.js';
import type { GuideData, Programme } from '../../src/domain/programme.js';
import type { Tombstone } from '../../src/domain/recording.js';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = Date.UTC(2026, 10, 23);
/** `20:05` of the day of the tests. */
export const at = (clock: string) => {
  const [hours = 0, minutes = 0] = clock.split(':').map(Number);
  return DAY + hours * HOUR + minutes * MINUTE;
};

export function channel(guideName: string, more: Partial<Channel> = {}): Channel {
  const row = {
    tvgId: '',
    guideNumber: '',
    channelId: guideName.toLowerCase().replaceAll(' ', '-'),
    ...more,
  };
  return {
    source: 'list',
    dnaId: dnaId({ ...row, guideName }),
    guideName,
    group: '',
    quality: -1,
    userAgent: '',
    referrer: '',
    urls: [`http://h/${row.channelId}`],
    ...row,
  };
}

export function programme(
  channelId: string,
  from: string,
  to: string,
  title: string,
  more: Partial<Programme> = {},
): Programme {
  return {
    channel: channelId,
    startAt: at(from),
    stopAt: at(to),
    title,
    subTitle: '',
    desc: '',
    categories: [],
    episode: '',
    icon: '',
    isNew: false,
    ...more,
  };
}

export function guide(
  names: Readonly<Record<string, readonly string[]>>,
  programmes: readonly Programme[],
): GuideData {
  const channels = Object.entries(names).map(([id, own]) => ({ id, names: own }));
  const counts = {
    channels: channels.length,
    programmes: programmes.length,
    lastStopAt: 0,
    skipped: {},
    partial: false,
  };
  return { channels, programmes, counts };
}

/** A programme on channel `one` unless another is given. */
export function capsule(from: string, to: string, title: string, more: Partial<Capsule> = {}): Capsule {
  return capsuleAt(at(from), at(to), title, more);
}

export function capsuleAt(
  startAt: number,
  stopAt: number,
  title: string,
  more: Partial<Capsule> = {},
): Capsule {
  const dna = more.dnaId ?? 'dna-one';
  const facts = { title, categories: more.categories ?? [], group: '', channelName: '' };
  return {
    capsuleId: capsuleId(dna, startAt, title),
    recordKey: recordKey(dna, startAt, title),
    dnaId: dna,
    channelId: dna.replace('dna-', ''),
    guideNumber: '',
    channelName: dna.replace('dna-', ''),
    group: '',
    title,
    subTitle: '',
    desc: '',
    categories: [],
    episode: '',
    lane: laneOf(facts).name,
    startAt,
    stopAt,
    upstreams: [{ source: 'list', channel: dna.replace('dna-', ''), index: 0 }],
    ...more,
  };
}

export function known(
  own: Capsule,
  state: KnownRecording['state'],
  more: Partial<KnownRecording> = {},
): KnownRecording {
  const { recordKey: key, startAt, stopAt } = own;
  return { id: `id ${key}`, keys: [key], capsule: own, state, startAt, stopAt, ...more };
}

export function tombstone(own: Capsule, more: Partial<Tombstone> = {}): Tombstone {
  return {
    id: `id ${own.recordKey}`,
    keys: [own.recordKey],
    channel: own.dnaId,
    startAt: own.startAt,
    stopAt: own.stopAt,
    normTitle: own.title.toLowerCase(),
    episode: own.episode,
    reason: 'expired',
    at: own.stopAt,
    ...more,
  };
}

export const POLICY: PlanPolicy = {
  lanes: [],
  excludeLanes: [],
  channels: [],
  excludeChannels: [],
  groups: [],
  excludeGroups: [],
  guidePolicy: 'off',
  capsulesMax: 0,
  horizonMs: 24 * HOUR,
  leadTimeMs: 0,
  prePaddingMs: 15_000,
  joinMinLeft: 0,
  keepMs: {},
};

export const NOW = at('20:00');

/** What is decided of a guide, with nothing known before; at eight in the evening where it says nothing else. */
export function decide(input: Partial<PlanInput>, policy: Partial<PlanPolicy> = {}): ReturnType<typeof plan> {
  return plan({
    capsules: [],
    known: [],
    tombstones: [],
    now: NOW,
    previousRowKeys: null,
    ...input,
    policy: { ...POLICY, ...policy },
  });
}

/** The same as `TITLE: ACTION REASON`. */
export function words(input: Partial<PlanInput>, policy: Partial<PlanPolicy> = {}): string[] {
  return decide(input, policy).map(({ capsule: row, action, reason }) => `${row.title}: ${action} ${reason}`);
}
