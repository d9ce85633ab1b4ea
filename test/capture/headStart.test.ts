import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { headStart } from '../../src/capture/headStart.js';
import { CLOCK_HZ, CLOCK_WRAP, PACKET_BYTES } from '../../src/capture/tsPackets.js';

const STEP_MS = 40;

/** A packet with nothing but a clock reference. */
function clockPacket(ticks: number, pid = 0x100): Buffer {
  const packet = Buffer.alloc(PACKET_BYTES, 0xff);
  const base = ((ticks % CLOCK_WRAP) + CLOCK_WRAP) % CLOCK_WRAP;
  packet.set([0x47, pid >> 8, pid & 0xff, 0x20, PACKET_BYTES - 5, 0x10]);
  packet.writeUInt32BE(Math.floor(base / 2), 6);
  packet[10] = 0x7e | ((base & 1) << 7);
  return packet;
}

/** A live stream whose first byte came at 0; what came until `takenAt` is taken then, all at once. */
function taken(takenAt: number, { burstMs = 0, pcr0 = 0, untilMs = 6_000, keptFromMs = 0 } = {}) {
  const head = headStart();
  for (let at = keptFromMs - burstMs; at < untilMs; at += STEP_MS) {
    const packet = clockPacket(pcr0 + Math.round((at * CLOCK_HZ) / 1000));
    head.push(packet, 0, packet.length, Math.max(at, takenAt));
  }
  return head.aheadMs();
}

describe('How old a stream is when it is taken', () => {
  it('is told by its clock, whether it waited or was sent in advance', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 60_000 }),
        fc.integer({ min: 0, max: 3_000 }),
        fc.integer({ min: 0, max: 20_000 }),
        fc.integer({ min: 0, max: CLOCK_WRAP - 1 }),
        (takenAt, keptFromMs, burstMs, pcr0) => {
          const own = { keptFromMs, burstMs, pcr0, untilMs: takenAt + 6_000 };
          const waited = taken(takenAt, own);
          const firstMono = Math.max(takenAt, keptFromMs - burstMs);
          const truth = Math.min(60_000, firstMono - (keptFromMs - burstMs));
          expect(waited).toBeLessThanOrEqual(truth);
          expect(waited).toBeGreaterThanOrEqual(truth - STEP_MS);
        },
      ),
    );
  });

  it('is nothing where it was taken as it came', () => {
    expect(taken(0)).toBe(0);
  });

  it('is not measured over a clock that jumps, or another one', () => {
    const jumped = headStart();
    for (const ticks of [0, 3_600, 5 * CLOCK_HZ]) jumped.push(clockPacket(ticks), 0, PACKET_BYTES, 10_000);
    expect(jumped.aheadMs()).toBe(40);
    const other = headStart();
    other.push(clockPacket(0), 0, PACKET_BYTES, 10_000);
    other.push(clockPacket(9_000, 0x200), 0, PACKET_BYTES, 10_000);
    expect(other.aheadMs()).toBe(0);
  });
});
