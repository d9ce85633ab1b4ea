/**
 * HLS playlists as data (RFC 8216), after `src/capture/hlsPlaylist.ts` has read them: every address absolute, times in
 * milliseconds, nothing in them that could not be fetched.
 */

export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** AES-128 over whole segments; the one kind of encryption that is understood. */
export interface SegmentKey {
  readonly uri: string;
  /** 32 hex digits; null is the number of the segment. */
  readonly iv: string | null;
}

/** What fMP4 segments need in front of them (EXT-X-MAP). */
export interface InitSection {
  readonly uri: string;
  readonly range: ByteRange | null;
}

export interface Segment {
  /** Media sequence number. */
  readonly sequence: number;
  /** May carry a token: secret like every address. */
  readonly uri: string;
  readonly durationMs: number;
  readonly discontinuity: boolean;
  /** The provider says that it is not there (EXT-X-GAP). */
  readonly gap: boolean;
  readonly range: ByteRange | null;
  readonly key: SegmentKey | null;
  readonly init: InitSection | null;
  /** Wall clock of its first picture by EXT-X-PROGRAM-DATE-TIME, or null. */
  readonly programAt: number | null;
}

export interface MediaPlaylist {
  readonly kind: 'media';
  readonly targetMs: number;
  /** In order; their numbers rise. */
  readonly segments: readonly Segment[];
  /** Nothing will be added (EXT-X-ENDLIST). */
  readonly ended: boolean;
}

/** Where the sound of a variant is: in its own segments, in a playlist beside it, or nowhere. */
export type VariantSound = 'inside' | 'separate' | 'none';

export interface Variant {
  readonly uri: string;
  /** Bits a second; 0 where it does not say. */
  readonly bandwidth: number;
  readonly width: number;
  readonly height: number;
  readonly codecs: string;
  readonly sound: VariantSound;
  readonly picture: boolean;
}

export interface MasterPlaylist {
  readonly kind: 'master';
  readonly variants: readonly Variant[];
  /** For playlists that import them (EXT-X-DEFINE). */
  readonly variables: Readonly<Record<string, string>>;
}

/** Codes of the error table. */
export type HlsCode = 'hls_unreadable' | 'hls_separate_audio' | 'hls_encrypted';

export interface RefusedPlaylist {
  readonly kind: 'refused';
  readonly code: HlsCode;
}

export type Playlist = MediaPlaylist | MasterPlaylist | RefusedPlaylist;
