/**
 * The `.nfo` that Kodi, Jellyfin, Emby and Plex read beside the media: of a film or broadcast, or of an episode of a
 * series, by the lane's kind (PROTOCOLS §1.6 for the order, §7 for the rest).
 */
import type { Capsule } from '../domain/capsule.js';
import type { LibraryKind } from '../domain/libraryKind.js';
import { OUTCOME_REASONS } from '../domain/outcomeReasons.js';
import type { RecordingResult } from '../domain/recording.js';
import { sha1hex } from '../domain/sha1.js';
import { episodeNumber } from '../domain/showNames.js';
import { clean, documentOf, element } from '../domain/xmlText.js';

const MINUTE_MS = 60_000;
const ID_DIGITS = 16;

/** What the media is, as far as a viewer has to know. */
export type Judged = Pick<RecordingResult, 'outcome' | 'reason' | 'coverage'>;

const WHOLE: Judged = { outcome: 'complete', reason: '', coverage: 1 };

export interface NfoWish {
  readonly kind: LibraryKind;
  /** When it came into the library. */
  readonly addedAt: number;
  /** Whole, unless given. */
  readonly judged?: Judged;
  /** Name of the picture beside it. */
  readonly picture?: string;
}

export function nfoOf(capsule: Capsule, { kind, addedAt, judged = WHOLE, picture = '' }: NfoWish): string {
  const facts = factsOf(capsule, judged);
  const rest = [
    element('uniqueid', sha1hex(capsule.capsuleId).slice(0, ID_DIGITS), ' type="catchup" default="true"'),
    element('uniqueid', capsule.capsuleId, ' type="capsule"'),
    element('studio', facts.channel),
    ...unique(facts.genres).map((genre) => element('genre', genre)),
    ...unique(facts.tags).map((tag) => element('tag', tag)),
    element('thumb', picture),
    element('dateadded', new Date(addedAt).toISOString().slice(0, 19).replace('T', ' ')),
    element('lockdata', 'true'),
  ];
  switch (kind) {
    case 'movies':
      return documentOf('movie', [...movieElements(capsule, facts), ...rest]);
    case 'shows':
      return documentOf('episodedetails', [...episodeElements(capsule, facts), ...rest]);
  }
}

type Facts = ReturnType<typeof factsOf>;

function factsOf(capsule: Capsule, judged: Judged) {
  const channel = clean(capsule.channelName) || clean(capsule.channelId);
  const partial = judged.outcome === 'partial';
  const plot = clean(capsule.desc) || channel;
  return {
    date: new Date(capsule.startAt).toISOString().slice(0, 10),
    channel,
    title: clean(capsule.title) || channel || clean(capsule.capsuleId),
    plot: partial ? `${partialWords(judged)} ${plot}` : plot,
    runtime: String(Math.trunc((capsule.stopAt - capsule.startAt) / MINUTE_MS)),
    genres: capsule.categories.length > 0 || capsule.lane !== 'sports' ? capsule.categories : ['Sports'],
    tags: ['iptvTunerr catchup', capsule.lane, channel, ...(partial ? ['partial'] : [])],
  };
}

function movieElements(
  { lane, subTitle }: Capsule,
  { title, date, channel, plot, runtime }: Facts,
): string[] {
  return [
    element('title', title),
    // Films sort by name; what is on every day or week sorts by day.
    element('sorttitle', lane === 'movies' ? title : `${date} ${title}`),
    element('outline', clean(subTitle) || channel),
    element('plot', plot),
    element('premiered', date),
    element('aired', date),
    element('year', date.slice(0, 4)),
    element('runtime', runtime),
  ];
}

/** What the guide does not number goes by its date: the year is the season, and no two of a day are one. */
function episodeElements(capsule: Capsule, { title, date, plot, runtime }: Facts): string[] {
  const number = episodeNumber(capsule);
  const season = number?.season ?? date.slice(0, 4);
  const minute = new Date(capsule.startAt).toISOString().replace(/\D/g, '').slice(4, 12);
  const episode = number?.episode ?? Number(minute);
  const called = clean(capsule.subTitle) || (number ? `Episode ${number.episode}` : date);
  return [
    element('title', number && number.part > 0 ? `${called} (${number.part})` : called),
    element('showtitle', title),
    element('season', String(season)),
    element('episode', String(episode)),
    element('plot', plot),
    element('premiered', date),
    element('aired', date),
    element('runtime', runtime),
  ];
}

/** P4: whoever chooses it in a library knows before that it is not all there. */
function partialWords({ coverage, reason }: Judged): string {
  const reasons: Readonly<Record<string, string>> = OUTCOME_REASONS;
  const why = reasons[reason] ?? '';
  return `[Partial recording: ${Math.floor(coverage * 100)} % of the programme.${why === '' ? '' : ` ${why}`}]`;
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}
