/** What a capture is given and what it must do, whatever the stream is made of. One object of this shape a protocol. */
import type { CaptureOutcome, CapturePiece } from '../domain/capture.js';
import type { HlsWish } from '../domain/hlsWish.js';
import type { Clock } from '../io/clock.js';
import type { Disk } from '../io/disk.js';
import type { Transport } from '../io/transport.js';
import type { WaitPool } from './waitPool.js';
import type { LiveBody, StreamStart } from './upstream.js';

export interface CaptureInput {
  /** Secret: may carry credentials. Never part of an outcome. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Absolute; its folder exists. Appended to, made where it is missing. */
  readonly spoolPath: string;
  /** Absolute; its folder exists. Where the index of the spool is kept; none where it is left out. */
  readonly indexPath?: string;
  /** Another upstream could be asked, so that one whose content is dead may be left. */
  readonly hasOthers?: boolean;
  /** Wall clock of the last media byte in the spool, where it is known; else the file's own time is taken. */
  readonly lastMediaAt?: number;
  /** What was added to the clock of what the spool ends with, where that is known. */
  readonly movedTicks?: number;
  /** From the request to the first bytes of media. */
  readonly firstByteTimeoutMs: number;
  /** Longest silence of a stream that had begun. */
  readonly stallTimeoutMs: number;
  /** What is wanted where a playlist answers; without it playlists are no media. */
  readonly hls?: HlsWish;
}

export interface CaptureDoors {
  readonly transport: Transport;
  readonly disk: Disk;
  readonly clock: Clock;
  /** Abort is the order to stop: all that came is written and synced, then the outcome is `stopped`. */
  readonly signal: AbortSignal;
  /** What all captures may let wait for disks together; its own where it is left out. */
  readonly pool?: WaitPool;
  /**
   * Where media comes later than it is on air, a capture may say that it wants so many milliseconds more when its window is
   * over; every other is stopped at once.
   */
  readonly onEnding?: (listen: (lateMs: number) => void) => void;
  /** What is in the file so far: after the first write, then every 10 s. */
  readonly onCheckpoint: (piece: CapturePiece) => void;
}

export interface CaptureProtocol {
  readonly name: 'mpegts' | 'hls';
  /** Whether what answers is this protocol's: addresses of every kind give every kind of stream. */
  claims(start: StreamStart): boolean;
  /** Records what was opened. Never rejects for anything the network or the disk does; destroys the body in any case. */
  capture(body: LiveBody, input: CaptureInput, doors: CaptureDoors): Promise<CaptureOutcome>;
}
