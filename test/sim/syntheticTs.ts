/**
 * A transport stream made of numbered units, small enough for days of it: each unit is PAT, PMT, one picture that can be
 * decoded from, and the clock between, four seconds long. The picture says which channel and unit it is, so that what
 * lies in a file can be compared with what was on.
 */

import { crc32 } from '../../src/capture/psi.js';
import { PACKET_BYTES } from '../../src/capture/tsPackets.js';

export const UNIT_MS = 4_000;
/** PCRs further apart than this count as a jump. */
const PCR_MS = 500;
const PCRS = UNIT_MS / PCR_MS;
/** A stream that carries less than a few packets a second counts as dead. */
const FILLERS = Math.ceil((UNIT_MS / 1000) * 6);
const PACKETS = 2 + PCRS + FILLERS;
export const UNIT_BYTES = PACKETS * PACKET_BYTES;

const PMT_PID = 0x100;
const VIDEO_PID = 0x101;
const FILLER_PID = 0x102;
const TICKS_A_MS = 90;
const CLOCK_WRAP = 2 ** 33;
const MARK = 'UNIT';
/** Where in the packet of the picture its elementary stream begins: header, adaptation field, PES header. */
const ES_AT = 4 + 8 + 14;

export interface Unit {
  readonly channel: number;
  readonly index: number;
}

/** The bytes of one unit; continuity counters and clocks go on from one index to the next. */
export function unitOf({ channel, index }: Unit): Buffer {
  const unit = Buffer.from(TEMPLATE);
  const counter = index & 15;
  for (const packet of [0, 1, 2]) {
    const at = packet * PACKET_BYTES + 3;
    unit[at] = ((unit[at] ?? 0) & 0xf0) | counter;
  }
  for (let step = 0; step < PCRS; step += 1) {
    const at = (2 + step) * PACKET_BYTES;
    if (step > 0) unit[at + 3] = ((unit[at + 3] ?? 0) & 0xf0) | counter;
    writePcr(unit, at + 6, index * UNIT_MS + step * PCR_MS);
  }
  for (let filler = 0; filler < FILLERS; filler += 1) {
    const at = (2 + PCRS + filler) * PACKET_BYTES + 3;
    unit[at] = ((unit[at] ?? 0) & 0xf0) | ((index * FILLERS + filler) & 15);
  }
  const picture = 2 * PACKET_BYTES;
  writePts(unit, picture + ES_AT - 5, index * UNIT_MS + PCR_MS);
  unit.write(`${MARK} ${channel} ${index} `, picture + ES_AT + 5, 'latin1');
  return unit;
}

/** Every picture of a file, in its order; throws where a packet begins with anything but a sync byte. */
export function unitsIn(media: Buffer): Unit[] {
  const units: Unit[] = [];
  for (let at = 0; at < media.length; at += PACKET_BYTES) {
    if (media[at] !== 0x47) throw new Error(`no packet begins at ${at}`);
    const pid = media.readUInt16BE(at + 1) & 0x1fff;
    if (pid !== VIDEO_PID || ((media[at + 3] ?? 0) & 0x10) === 0) continue;
    const text = media.toString('latin1', at + ES_AT + 5, at + ES_AT + 45);
    const [, channel, index] = /^UNIT (\d+) (\d+) /.exec(text) ?? [];
    units.push({ channel: Number(channel), index: Number(index) });
  }
  return units;
}

const TEMPLATE = Buffer.concat([
  tables(0, patSection()),
  tables(PMT_PID, pmtSection()),
  picturePacket(),
  ...Array.from({ length: PCRS - 1 }, clockPacket),
  ...Array.from({ length: FILLERS }, () => header(FILLER_PID, false, 0x10)),
]);

function header(pid: number, start: boolean, control: number): Buffer {
  const packet = Buffer.alloc(PACKET_BYTES, 0xff);
  packet[0] = 0x47;
  packet.writeUInt16BE((start ? 0x4000 : 0) | pid, 1);
  packet[3] = control;
  return packet;
}

function tables(pid: number, section: Buffer): Buffer {
  const packet = header(pid, true, 0x10);
  packet[4] = 0;
  section.copy(packet, 5);
  return packet;
}

function withCrc(section: readonly number[]): Buffer {
  const end = Buffer.alloc(4);
  end.writeUInt32BE(crc32(Uint8Array.from(section)));
  return Buffer.concat([Uint8Array.from(section), end]);
}

function patSection(): Buffer {
  return withCrc([0x00, 0xb0, 13, 0, 1, 0xc1, 0, 0, 0, 1, 0xe0 | (PMT_PID >> 8), PMT_PID & 0xff]);
}

function pmtSection(): Buffer {
  const video = [0xe0 | (VIDEO_PID >> 8), VIDEO_PID & 0xff];
  return withCrc([0x02, 0xb0, 18, 0, 1, 0xc1, 0, 0, ...video, 0xf0, 0, 0x1b, ...video, 0xf0, 0]);
}

/** One PES packet in one packet of the stream, with a length, a random access point and a clock. */
function picturePacket(): Buffer {
  const packet = header(VIDEO_PID, true, 0x30);
  packet[4] = 7;
  packet[5] = 0x50;
  const pes = 12;
  packet.set([0, 0, 1, 0xe0], pes);
  packet.writeUInt16BE(PACKET_BYTES - pes - 6, pes + 4);
  packet.set([0x80, 0x80, 5], pes + 6);
  packet.set([0, 0, 0, 1, 0x65], ES_AT);
  return packet;
}

function clockPacket(): Buffer {
  const packet = header(VIDEO_PID, false, 0x20);
  packet[4] = PACKET_BYTES - 5;
  packet[5] = 0x10;
  return packet;
}

function writePcr(packet: Buffer, at: number, ms: number): void {
  const base = (ms * TICKS_A_MS) % CLOCK_WRAP;
  packet.writeUInt32BE(Math.floor(base / 2), at);
  packet[at + 4] = ((base & 1) << 7) | 0x7e;
  packet[at + 5] = 0;
}

function writePts(packet: Buffer, at: number, ms: number): void {
  const ticks = (ms * TICKS_A_MS) % CLOCK_WRAP;
  packet[at] = 0x21 | (Math.floor(ticks / 2 ** 30) << 1);
  packet.writeUInt16BE((Math.floor(ticks / 2 ** 15) % 2 ** 15) * 2 + 1, at + 1);
  packet.writeUInt16BE((ticks % 2 ** 15) * 2 + 1, at + 3);
}
