/**
 * The playlist of one stream, whatever it takes to get it: through a master playlist to one variant of it, again from the
 * listed address when its token has run out, always the same variant once there is media of it (PROTOCOLS §5.1).
 */
import type { HlsCode, MasterPlaylist, MediaPlaylist } from '../domain/hlsPlaylist.js';
import { rankVariants, variantMark, type QualityWish } from '../domain/hlsVariant.js';
import type { Clock } from '../io/clock.js';
import { textOf, type HlsFetch } from './hlsFetch.js';
import { dropBlocks } from './lentBlocks.js';
import { readPlaylist } from './hlsPlaylist.js';
import { refusalOfCode, type Refusal } from './refusal.js';

export const PLAYLIST_BYTES_MAX = 4 * 1024 * 1024;
/** Variants that are asked one after the other. */
const VARIANTS_MAX = 4;
/** What an address answers whose token is no longer good, or that is no longer there. */
const WORN: ReadonlySet<number> = new Set([401, 403, 404, 410]);

export type LoadedPlaylist =
  | { readonly kind: 'media'; readonly playlist: MediaPlaylist; readonly askedMono: number }
  /** `status` is 0 where there was no answer, and 200 where it was no playlist. */
  | { readonly kind: 'failed'; readonly refusal: Refusal; readonly status: number }
  | { readonly kind: 'aborted' };

type Asked = LoadedPlaylist | MasterPlaylist;

export interface HlsSource {
  /** As it is now. */
  load(): Promise<LoadedPlaylist>;
  /** As it is now, by the listed address. */
  renew(): Promise<LoadedPlaylist>;
  /** Mark of the variant, '' where there is no choice. */
  variant(): string;
}

export interface HlsSourceInput {
  /** As it is listed. */
  readonly url: string;
  /** What it answered, and at which address. */
  readonly first: { readonly text: string; readonly url: string; readonly askedMono: number };
  readonly quality: QualityWish;
  /** The variant that a recording has already, or null. */
  readonly mark: string | null;
  readonly fetch: HlsFetch;
  readonly clock: Clock;
}

export function hlsSource({ url, first, quality, mark: had, fetch, clock }: HlsSourceInput): HlsSource {
  let unread: HlsSourceInput['first'] | null = first;
  let mediaUrl: string | null = null;
  let mark = had ?? '';
  let variables: Readonly<Record<string, string>> = {};
  let renewing: Promise<LoadedPlaylist> | null = null;

  function read(text: string, at: string, askedMono: number): Asked {
    const playlist = readPlaylist(text, at, variables);
    switch (playlist.kind) {
      case 'media':
        mediaUrl = at;
        return { kind: 'media', playlist, askedMono };
      case 'master':
        return playlist;
      case 'refused':
        return refused(playlist.code);
    }
  }

  async function ask(address: string): Promise<Asked> {
    const askedMono = clock.mono();
    const answer = await fetch.get(address, PLAYLIST_BYTES_MAX);
    if (answer.kind !== 'whole') return answer;
    const text = textOf(answer.parts, PLAYLIST_BYTES_MAX);
    dropBlocks(answer.parts);
    return read(text, answer.url, askedMono);
  }

  async function choose(master: MasterPlaylist): Promise<LoadedPlaylist> {
    ({ variables } = master);
    const ranked = rankVariants(master.variants, quality, mark === '' ? null : mark);
    let answer = refused('hls_separate_audio');
    for (const variant of ranked.slice(0, VARIANTS_MAX)) {
      const asked = await ask(variant.uri);
      if (asked.kind === 'master') {
        answer = refused('hls_unreadable');
        continue;
      }
      answer = asked;
      if (asked.kind === 'failed') continue;
      if (asked.kind === 'media') mark = variantMark(variant);
      break;
    }
    return answer;
  }

  async function fromListed(): Promise<LoadedPlaylist> {
    const start = unread;
    unread = null;
    const asked = start ? read(start.text, start.url, start.askedMono) : await ask(url);
    return asked.kind === 'master' ? choose(asked) : asked;
  }

  function renew(): Promise<LoadedPlaylist> {
    renewing ??= fromListed().finally(() => (renewing = null));
    return renewing;
  }

  return {
    async load() {
      if (mediaUrl === null) return renew();
      const asked = await ask(mediaUrl);
      if (asked.kind === 'master') return choose(asked);
      if (asked.kind !== 'failed' || !WORN.has(asked.status)) return asked;
      mediaUrl = null;
      return renew();
    },
    renew,
    variant: () => mark,
  };
}

function refused(code: HlsCode): LoadedPlaylist {
  return { kind: 'failed', refusal: refusalOfCode(code), status: 200 };
}
