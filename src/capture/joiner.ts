/**
 * Puts a new piece behind what is written, so that one clean stream comes of many connections (P1, P2): what the file
 * has already is cut where that is certain, the rest goes on with the file's PIDs, counters and clock. The piece is held
 * back no longer than it takes to see whether it overlaps.
 */
import type { PieceJoin } from '../domain/capture.js';
import { firstLook, overlapTicks, type FirstLook, type LookInput } from './firstLook.js';
import { pieceMapper, type JoinPlan, type PieceMapper, type TimedSink } from './pieceMapper.js';
import { startPoint, type StartPoint } from './startPoint.js';
import { CLOCK_HZ } from './tsPackets.js';

export interface JoinerInput extends LookInput {
  /** What is missing between the two, where that is known better than by the time that passed. */
  readonly gapMs?: number;
  /** So much waits in other places that no more may here, if that is of no use. */
  readonly isCrowded?: () => boolean;
}

export interface Joiner {
  push: TimedSink;
  /** Nothing follows: what is still held back is placed as well as it can be. */
  end(): void;
  /** Bytes that no decoder could have used, and which the file does not have. */
  heldBackBytes(): number;
  /** What waits to be placed. */
  waitingBytes(): number;
  /** What is added to the clock of the piece, once that is known. */
  movedTicks(): number | null;
  /** How it was joined, once that is known. */
  join(): PieceJoin | null;
  /** How much of it was sent in advance, as far as it was looked at. */
  aheadMs(): number;
}

interface Going {
  readonly plan: JoinPlan;
  readonly mapper: PieceMapper;
  readonly start: StartPoint | null;
  readonly removedTicks: number;
}

export function joiner(input: JoinerInput, sink: TimedSink): Joiner {
  const { tail, silentMs, gapMs: knownGapMs, isSeam = false } = input;
  const { movedTicks = null, isCrowded } = input;
  const written = tail.scan;
  let looking: FirstLook | null = firstLook(input);
  let going: Going | null = null;
  let mono = 0;
  let aheadMs = 0;

  function goOn(look: FirstLook, offset: number | null): Going {
    const tables = look.scan().tables();
    if (offset !== null && tables) {
      const { pid: lead = -1 } = look.scan().lead() ?? {};
      const plan: JoinPlan = { kind: 'exact', offset, tables, leadPid: () => lead };
      const mapper = pieceMapper(written, plan, sink);
      return { plan, mapper, start: null, removedTicks: overlapTicks(written, look.scan(), offset) };
    }
    const gapMs = knownGapMs ?? Math.max(0, (silentMs ?? 0) - look.burstMs());
    const firstDts = look.scan().units()[0]?.dts ?? -1;
    const gapTicks = Math.round((gapMs * CLOCK_HZ) / 1000);
    const terms = { ...(isCrowded && { isCrowded }), wanted: written.tables()?.map.number ?? null };
    const start = startPoint((buffer, from, to, came) => mapper.push(buffer, from, to, came), terms);
    const known = { gapTicks, firstDts, isSeam, movedTicks: movedTicks ?? 0 };
    const plan: JoinPlan = { kind: 'after', ...known, leadPid: start.leadPid };
    const mapper = pieceMapper(written, plan, sink);
    return { plan, mapper, start, removedTicks: 0 };
  }

  function take(to: Going, buffer: Buffer, from: number, end: number): void {
    if (to.start) to.start.push(buffer, from, end, mono);
    else to.mapper.push(buffer, from, end, mono);
  }

  function settle(offset: number | null): void {
    if (!looking) return;
    const look = looking;
    looking = null;
    aheadMs = look.burstMs();
    going = goOn(look, offset);
    for (const held of look.held) {
      ({ mono } = held);
      take(going, held.bytes, 0, held.bytes.length);
    }
  }

  return {
    push(buffer, from, to, came) {
      // All that came before was looked at. What comes now may be one packet of much that the aligner had to hold back.
      if (came > mono && looking?.isEnough(mono)) settle(looking.believed());
      mono = came;
      if (going) return take(going, buffer, from, to);
      if (!looking) return;
      const offset = looking.push(Buffer.from(buffer.subarray(from, to)), came);
      if (offset !== null || looking.isFull()) settle(offset ?? looking.believed());
      mono = came;
    },
    end() {
      settle(looking?.believed() ?? null);
      going?.start?.end();
    },
    aheadMs: () => aheadMs,
    waitingBytes: () => looking?.heldBytes() ?? going?.start?.waitingBytes() ?? 0,
    heldBackBytes: () => (going?.start ? going.start.heldBackBytes() + going.mapper.droppedBytes() : 0),
    movedTicks() {
      if (!going) return null;
      return going.plan.kind === 'exact' ? going.plan.offset : (going.mapper.anchor()?.offset ?? null);
    },
    join() {
      if (!going) return null;
      if (going.plan.kind === 'exact') {
        return { removedOverlapS: seconds(going.removedTicks), approximate: false, gapS: 0 };
      }
      const anchor = going.mapper.anchor();
      return {
        removedOverlapS: 0,
        approximate: !(anchor?.sameClock ?? false),
        gapS: seconds(anchor?.gapTicks ?? going.plan.gapTicks),
      };
    },
  };
}

function seconds(ticks: number): number {
  return Math.round(ticks / 90) / 1000;
}
