/**
 * What a channel is after its list was parsed: names, identity and where its streams are.
 * URLs with credentials live in memory and in one 0600 file only; everything else speaks of upstreams by reference.
 */

/** Points at one URL of one channel of one list; `source` is `relay` for `--stream-base-url`. Safe to store and show. */
export interface UpstreamRef {
  readonly source: string;
  readonly channel: string;
  readonly index: number;
}

/** One row of a channel list. Blank strings stand for "not given". */
export interface Channel {
  /** Id of the list it came from (`SourceRef.id`). */
  readonly source: string;
  readonly channelId: string;
  readonly dnaId: string;
  readonly guideNumber: string;
  readonly guideName: string;
  /** The XMLTV id this row claims, or ''. */
  readonly tvgId: string;
  readonly group: string;
  /** 0 SD, 1 HD, 2 UHD, -1 RAW or unknown. */
  readonly quality: number;
  readonly userAgent: string;
  readonly referrer: string;
  /** Primary first, then backups, without repeats. Secret: may carry credentials. */
  readonly urls: readonly string[];
  /** Absent where the provider keeps none. */
  readonly archive?: Archive;
  /** Its programmes are on so much later than the guide says, or earlier (`tvg-shift`); absent where they are not. */
  readonly guideShiftMs?: number;
}

/** How the list says that a channel has an archive. */
export interface Archive {
  readonly mode: 'default' | 'append' | 'shift' | 'flussonic' | 'flussonic-ts' | 'xc' | 'vod';
  /** How far it goes back; 0 is not known. */
  readonly days: number;
  /** `catchup-source` of the list, or of an Xtream panel the id of the stream. Secret: may carry a login. */
  readonly source: string;
}

/** A configured list or guide. `id` is stable over restarts and reorderings and shows no credentials. */
export interface SourceRef {
  readonly id: string;
  readonly kind: 'catalog' | 'm3u' | 'xtream' | 'xmltv';
  /** Absolute path or URL. Secret when it is a URL. */
  readonly location: string;
}

export function refKey(ref: UpstreamRef): string {
  return `${ref.source}/${ref.channel}/${ref.index}`;
}
