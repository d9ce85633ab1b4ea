/**
 * Reads an XMLTV guide as a stream (PROTOCOLS §3): bytes as they came → unpacked, decoded, sieved, mended → saxes → a
 * schedule of the window. A broken row costs the row; a file that breaks off gives what came before and is marked
 * partial; what is no guide at all is an error (P5: it then never replaces a good one).
 */

import { SaxesParser, type SaxesTagPlain } from 'saxes';
import { CodedError } from '../domain/errors.js';
import type { GuideData } from '../domain/programme.js';
import { parseXmltvTime, parseZone, type Zone } from '../domain/xmltvTime.js';
import { createDecoding, unpack } from './decode.js';
import { episodeOf, type EpisodeNumber } from './episode.js';
import { HTML_ENTITIES } from './htmlEntities.js';
import { createRepair } from './repair.js';
import { createSchedule, type Schedule, type Window } from './schedule.js';
import { createSieve, type Attributes, type SieveDoors } from './sieve.js';

export interface XmltvWindow extends Window {
  /** Zone of times that carry none: `UTC`, `+0100`, minutes east, or an IANA name. */
  readonly timezone: string;
}

/**
 * Throws CodedError: `guide_not_xmltv`, `guide_compressed` (xz, zip, …), `usage` (an unknown zone). What `chunks` throws
 * comes through as it is; each of them may be lent until the next is asked for.
 */
export async function parseXmltv(chunks: AsyncIterable<Uint8Array>, window: XmltvWindow): Promise<GuideData> {
  const zone = parseZone(window.timezone);
  if (zone === null) throw new CodedError('usage', `${window.timezone} is no time zone`);
  const schedule = createSchedule(window);
  const reader = createReader(schedule, zone);
  let broken = false;
  const decoding = createDecoding();
  const sieve = createSieve(reader);
  for await (const bytes of unpack(chunks, () => (broken = true))) sieve.write(decoding.write(bytes));
  sieve.write(decoding.end());
  sieve.end();
  return schedule.finish(!reader.close() || broken);
}

interface Reader extends SieveDoors {
  /** Whether the guide came to its end; throws where there was none. */
  close(): boolean;
}

/** Elements whose text is wanted, and where it goes. */
type Field = 'display-name' | 'title' | 'sub-title' | 'desc' | 'category' | 'episode-num';
const FIELDS: ReadonlySet<string> = new Set<Field>([
  'display-name',
  'title',
  'sub-title',
  'desc',
  'category',
  'episode-num',
]);

/** No description is longer; an element that is never closed may be. */
const TEXT_MAX = 65_536;

/** A guide that has a word of its own for every programme is not helped. */
const SHARED_MAX = 100_000;

interface OpenChannel {
  readonly kind: 'channel';
  readonly id: string;
  readonly names: string[];
}

interface OpenProgramme {
  readonly kind: 'programme';
  readonly channel: string;
  readonly startAt: number;
  readonly stopAt: number | null;
  title: string;
  subTitle: string;
  desc: string;
  readonly categories: string[];
  readonly episodes: EpisodeNumber[];
  icon: string;
  isNew: boolean;
}

function createReader(schedule: Schedule, zone: Zone): Reader {
  const times = timesIn(zone);
  const shared = createShared();
  const repair = createRepair();
  const parser = new SaxesParser({ xmlns: false, position: false });
  Object.assign(parser.ENTITIES, HTML_ENTITIES);
  /** What is being read; null also inside a programme that is not wanted. */
  let open: OpenChannel | OpenProgramme | null = null;
  let field: { readonly name: string; readonly system: string } | null = null;
  let text = '';
  let rooted = false;
  let ended = false;
  /** Whether a row was closed since it was last asked. */
  let closed = false;
  /** A row that was looked at before the parser comes to it. */
  let foreseen: OpenProgramme | null = null;

  function openTag(tag: SaxesTagPlain): void {
    const { name, attributes } = tag;
    if (!rooted) {
      if (name !== 'tv') throw notXmltv(`its root is <${name.slice(0, 40)}>`);
      rooted = true;
    }
    if (name === 'programme') {
      // One left open ends where the next begins.
      finishOpen();
      open = foreseen ?? openProgramme(attributes, schedule, times, shared);
      foreseen = null;
    } else if (name === 'channel') {
      finishOpen();
      open = openChannel(attributes, schedule);
    } else if (open !== null) openDetail(open, name, attributes);
  }

  function openDetail(owner: OpenChannel | OpenProgramme, name: string, attributes: Attributes): void {
    if (FIELDS.has(name)) {
      finishField();
      field = { name, system: attributes['system'] ?? '' };
    } else if (owner.kind === 'programme') {
      if (name === 'icon') owner.icon ||= (attributes['src'] ?? '').trim();
      else if (name === 'new' || name === 'premiere') owner.isNew = true;
    }
  }

  function closeTag({ name }: SaxesTagPlain): void {
    closed = name === 'programme' || name === 'channel';
    if (field?.name === name) finishField();
    else if (closed) finishOpen();
    else if (name === 'tv') {
      finishOpen();
      ended = true;
    }
  }

  function finishField(): void {
    if (field !== null && open !== null) keepField(open, field.name, field.system, text);
    field = null;
    text = '';
  }

  function finishOpen(): void {
    finishField();
    if (open?.kind === 'channel') schedule.channel(open.id, open.names);
    else if (open?.kind === 'programme') addProgramme(schedule, open, shared);
    open = null;
  }

  const gather = (piece: string) => {
    if (field !== null && text.length < TEXT_MAX) text += piece;
  };
  // Without a handler saxes throws; with one it goes on, and loses at most the row.
  parser.on('error', () => {});
  parser.on('opentag', openTag);
  parser.on('closetag', closeTag);
  parser.on('text', gather);
  parser.on('cdata', gather);

  function write(mended: string): void {
    if (mended !== '') parser.write(mended);
  }

  return {
    read(piece) {
      write(repair.write(piece.slice(0, -1)));
      closed = false;
      write(repair.write(piece.slice(-1)));
      return closed;
    },
    wanted(attributes) {
      foreseen = openProgramme(attributes, schedule, times, shared);
      return foreseen !== null;
    },
    close() {
      write(repair.end());
      parser.close();
      if (!rooted) throw notXmltv('there is no <tv> in it');
      return ended;
    },
  };
}

function notXmltv(why: string): CodedError {
  return new CodedError('guide_not_xmltv', why);
}

function openChannel(attributes: Attributes, schedule: Schedule): OpenChannel | null {
  const id = ownCopy((attributes['id'] ?? '').trim());
  if (id === '') {
    schedule.skip('no_channel');
    return null;
  }
  return { kind: 'channel', id, names: [] };
}

type Times = (
  channel: string,
  start: string,
  stop: string,
) => { readonly startAt: number | null; readonly stopAt: number | null };

/**
 * Start and stop of a row. In the night in which an hour comes twice, times without an offset mean the second as soon as
 * the first would lie before the start of the same row, or of the one before it on its channel.
 */
function timesIn(zone: Zone): Times {
  const lastStarts = new Map<string, number>();
  return (channel, start, stop) => {
    const startAt = parseXmltvTime(start, zone, lastStarts.get(channel));
    const stopAt = stop === '' || startAt === null ? null : parseXmltvTime(stop, zone, startAt + 1);
    if (zone.kind === 'named' && startAt !== null) lastStarts.set(channel, startAt);
    return { startAt, stopAt };
  };
}

/** Null for a row that is broken or outside the window. */
function openProgramme(
  attributes: Attributes,
  schedule: Schedule,
  times: Times,
  shared: Shared,
): OpenProgramme | null {
  const channel = shared((attributes['channel'] ?? '').trim());
  const stop = attributes['stop'] ?? '';
  const { startAt, stopAt } = times(channel, attributes['start'] ?? '', stop);
  if (channel === '') schedule.skip('no_channel');
  else if (startAt === null || (stop !== '' && stopAt === null)) schedule.skip('bad_time');
  else if (stopAt !== null && stopAt <= startAt) schedule.skip('zero_length');
  else if (schedule.admit(channel, startAt, stopAt)) {
    return {
      kind: 'programme',
      channel,
      startAt,
      stopAt,
      title: '',
      subTitle: '',
      desc: '',
      categories: [],
      episodes: [],
      icon: '',
      isNew: false,
    };
  }
  return null;
}

/** Of several languages the first one that says something. */
function keepField(open: OpenChannel | OpenProgramme, name: string, system: string, text: string): void {
  const value = text.trim();
  if (value === '') return;
  if (open.kind === 'channel') {
    if (name === 'display-name') open.names.push(ownCopy(value));
    return;
  }
  if (name === 'title') open.title ||= value;
  else if (name === 'sub-title') open.subTitle ||= value;
  else if (name === 'desc') open.desc ||= value;
  else if (name === 'category' && !open.categories.includes(value)) open.categories.push(value);
  else if (name === 'episode-num') open.episodes.push({ system, text: value });
}

function addProgramme(schedule: Schedule, open: OpenProgramme, shared: Shared): void {
  const { channel, startAt, stopAt, title, subTitle, desc, categories, episodes, icon, isNew } = open;
  schedule.add({
    channel,
    startAt,
    stopAt,
    title: ownCopy(title),
    subTitle: ownCopy(subTitle),
    desc: ownCopy(desc),
    categories: categories.map(shared),
    episode: ownCopy(episodeOf(episodes)),
    icon: ownCopy(icon),
    isNew,
  });
}

/** The same copy for the same text: a guide names its channels and categories again and again. */
type Shared = (text: string) => string;

function createShared(): Shared {
  const known = new Map<string, string>();
  return (text) => {
    const copy = known.get(text);
    if (copy !== undefined) return copy;
    const own = ownCopy(text);
    if (known.size < SHARED_MAX) known.set(own, own);
    return own;
  };
}

/** Text that no single bytes can tell. */
const WIDE = /[\u0100-\uffff]/;
const copies = Buffer.alloc(4 * TEXT_MAX);

/**
 * A copy of its own: a slice would keep the whole chunk of the guide it was cut from in memory. One byte a character
 * where that is enough, whatever its chunk needed.
 */
function ownCopy(text: string): string {
  if (text.length < 13) return text;
  const coding = WIDE.test(text) ? 'utf16le' : 'latin1';
  if (2 * text.length > copies.length) return Buffer.from(text, coding).toString(coding);
  return copies.toString(coding, 0, copies.write(text, coding));
}
