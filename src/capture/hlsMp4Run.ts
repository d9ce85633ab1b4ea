/**
 * fMP4 segments into one file: fragment behind fragment on one clock. A run that goes on where the file's clock stands
 * stays as it is; one on another clock is moved behind it, with what is missing between them at its length.
 */
import type { CaptureOutcome, CapturePiece, PieceJoin } from '../domain/capture.js';
import { NO_TS } from '../domain/ledger.js';
import { spoolOf } from './container.js';
import type { Run, RunTerms } from './hls.js';
import { moveTimes, renumber, timescalesOf } from './mp4Boxes.js';
import { remade } from './mp4Remake.js';
import { wayInto, type Mp4Way } from './mp4Setup.js';
import { fragmentsOf, openMp4Spool, spanOf, type Mp4Spool } from './mp4Spool.js';
import { refusalOfTrouble } from './mpegts.js';
import type { CaptureDoors, CaptureInput } from './protocol.js';
import { ENDED, OTHER_CONTAINER, type Refusal } from './refusal.js';
import { isTrouble, type DiskTrouble } from './spool.js';

const SYNC_MS = 4_000;
const CHECKPOINT_MS = 10_000;
/** A clock that goes on shows a gap this well. */
const SAME_CLOCK_US = 2_500_000n;
/** A fragment that ends no later than the file does is in it already. */
const SLACK_US = 20_000n;

/** Rejects only for a bug. */
export async function mp4Run(
  input: CaptureInput,
  { gapMs, isNew }: RunTerms,
  doors: CaptureDoors,
): Promise<Run | Refusal> {
  const { clock, disk, signal } = doors;
  const named = await spoolOf(disk, input.spoolPath, 'mp4');
  if (typeof named !== 'string') return named;
  const path: string = named;
  const opened = await openMp4Spool(disk, path);
  if (isTrouble(opened)) return refusalOfTrouble(opened);
  const spool: Mp4Spool = opened;
  const startUs = spool.endUs();
  let join: PieceJoin | null = null;
  let moveUs: bigint | null = startUs === null ? 0n : null;
  let first: { readonly at: number; readonly mono: number } | null = null;
  let last = { at: 0, mono: 0 };
  let syncedMono = clock.mono();
  let checkpointMono = Number.NEGATIVE_INFINITY;
  let ended = false;
  let asked: { readonly init: Buffer; readonly way: Mp4Way | null } | null = null;
  let working: Promise<unknown> = Promise.resolve();
  let finish: (outcome: CaptureOutcome) => void = () => undefined;
  const over = new Promise<CaptureOutcome>((resolve) => (finish = resolve));

  function piece(): CapturePiece | null {
    const bytes = spool.bytesWritten();
    if (!first || bytes === 0) return null;
    return {
      firstOffset: spool.firstOffset,
      bytes,
      fromAt: first.at,
      toAt: last.at,
      goodMs: Math.round(last.mono - first.mono),
      ts: { ...NO_TS, trimmedBytes: spool.trimmedBytes },
      ...(join && { join }),
      ...(path !== input.spoolPath && { spool: path }),
    };
  }

  function end(how: Refusal | DiskTrouble | 'stop'): void {
    if (ended) return;
    ended = true;
    signal.removeEventListener('abort', onAbort);
    void working
      .then(() => spool.sync())
      .then(async (failed) => {
        await spool.close();
        const at = clock.now();
        if (failed) return finish({ kind: 'fault', at, piece: piece(), ...refusalOfTrouble(failed) });
        if (how === 'stop') return finish({ kind: 'stopped', at, piece: piece() });
        const refusal = 'cause' in how ? how : refusalOfTrouble(how);
        finish({ kind: 'fault', at, piece: piece(), ...refusal });
      })
      .catch((error: unknown) => finish({ kind: 'bug', at: clock.now(), error: String(error) }));
  }
  const onAbort = () => end('stop');
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();

  /** Where the first fragment of the run goes on the clock of the file. */
  function place(fragment: Buffer, init: Buffer): bigint {
    const span = spanOf(fragment, init);
    if (startUs === null || !span) return 0n;
    const wantedUs = startUs + BigInt(Math.round((gapMs ?? 0) * 1000));
    const ahead = span.beginUs - wantedUs;
    // What is sent again is on the file's own clock, before its end.
    const isSame =
      (ahead < 0n ? -ahead : ahead) < SAME_CLOCK_US || (!isNew && ahead < 0n && -ahead < 30_000_000n);
    const gapUs = isSame ? span.beginUs - startUs : wantedUs - startUs;
    join = { removedOverlapS: 0, approximate: !isSame, gapS: gapUs > 0n ? Number(gapUs / 1000n) / 1000 : 0 };
    return isSame ? 0n : wantedUs - span.beginUs;
  }

  /** How media of this section gets into the file; the one that was asked for last is asked for again. */
  function wayOf(init: Buffer): Mp4Way | null {
    if (asked?.init.equals(init)) return asked.way;
    asked = { init, way: null };
    try {
      asked = { init, way: wayInto(spool.init() ?? init, init) };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
    return asked.way;
  }

  async function write(segment: Buffer, init: Buffer): Promise<DiskTrouble | Refusal | null> {
    const way = wayOf(init);
    if (!way) return OTHER_CONTAINER;
    const known = spool.init() ?? init;
    if (!spool.init()) {
      const trouble = await spool.begin(init);
      if (trouble) return trouble;
    }
    if (way.kind === 'turned' && !spool.isTurned()) {
      const trouble = await spool.turn();
      if (trouble) return trouble;
    }
    const isRemade = way.kind !== 'moved' || spool.isTurned();
    const section = isRemade ? known : init;
    const numbers = new Map([...way.tracks].map(([id, { file }]) => [id, file.id]));
    const isMoved = !isRemade && [...numbers].some(([from, to]) => from !== to);
    for (const came of fragmentsOf(segment)) {
      const cut = isRemade ? remade(came, init, way, spool.isTurned()) : came;
      // What says of itself too little to be remade is lost time.
      if (!cut) continue;
      moveUs ??= place(cut, section);
      const before = spanOf(cut, section);
      if (startUs !== null && moveUs === 0n && before && before.endUs <= startUs + SLACK_US) continue;
      const fragment = moveUs === 0n && !isMoved ? cut : Buffer.from(cut);
      if (moveUs !== 0n && !moveTimes(fragment, timescalesOf(section), moveUs)) return OTHER_CONTAINER;
      if (isMoved) renumber(fragment, numbers);
      const trouble = await spool.write(fragment, (before?.endUs ?? 0n) + moveUs);
      if (trouble) return trouble;
      last = { at: clock.now(), mono: clock.mono() };
      first ??= last;
    }
    const mono = clock.mono();
    if (mono - syncedMono >= SYNC_MS) {
      syncedMono = mono;
      const trouble = await spool.sync();
      if (trouble) return trouble;
    }
    const now = piece();
    if (now && mono - checkpointMono >= CHECKPOINT_MS) {
      checkpointMono = mono;
      doors.onCheckpoint(now);
    }
    return null;
  }

  return {
    over,
    fits(payload, initBytes) {
      return wayOf(sectionOf(payload, initBytes)) !== null;
    },
    async feed(payload, initBytes) {
      if (ended) return;
      const all = Buffer.concat(payload);
      const work = write(all.subarray(initBytes), sectionOf(payload, initBytes)).catch((error: unknown) => {
        // A fragment that says it is longer than it is: the provider's fault, and lost time.
        if (error instanceof RangeError) return null;
        throw error;
      });
      working = work;
      const trouble = await work;
      if (trouble) end(trouble);
    },
    end: () => end(ENDED),
  };
}

/** A copy of its own: it outlasts what it came in. */
function sectionOf(payload: readonly Buffer[], initBytes: number): Buffer {
  const [first = Buffer.alloc(0)] = payload;
  return Buffer.from((first.length < initBytes ? Buffer.concat(payload) : first).subarray(0, initBytes));
}
