/**
 * A transport stream of a given rate that looks like a broadcast to whoever only reads headers: PAT and PMT ten times a
 * second, a PCR with every picture, a key frame a second, sound, some padding. The pictures are noise behind real
 * parameter sets, so that nothing has to be encoded and still every program copies it.
 */
import { crc32 } from '../../src/capture/psi.js';
import { pmtSection, sectionPackets } from '../../src/capture/tables.js';
import { PACKET_BYTES } from '../../src/capture/tsPackets.js';

const PMT_PID = 0x1000;
const VIDEO_PID = 0x100;
const SOUND_PID = 0x101;
const NULL_PID = 0x1fff;
const PICTURES_A_SECOND = 25;
const TICKS_A_PICTURE = 90_000 / PICTURES_A_SECOND;
/** Parameter sets of 320x180 at 25 frames. */
const PARAMETERS = Buffer.from(
  '0000000109f0000000016742c00cd901419f9f011000000300100000030320f142a48000000000000168cb83cb20',
  'hex',
);
const PADDING_SHARE = 0.03;

export function broadcast(bitsPerSecond: number, seconds: number): Buffer {
  const packets: Buffer[] = [];
  const counters = new Map<number, number>();
  const perPicture = Math.floor(bitsPerSecond / 8 / PACKET_BYTES / PICTURES_A_SECOND);

  function put(pid: number, start: boolean, adaptation: Buffer, payload: Buffer): void {
    const packet = Buffer.alloc(PACKET_BYTES, 0xff);
    const counter = counters.get(pid) ?? 0;
    counters.set(pid, (counter + 1) & 15);
    const room = PACKET_BYTES - 4 - payload.length;
    const control = (room > 0 ? 0x30 : 0x10) | counter;
    packet.set([0x47, (start ? 0x40 : 0) | (pid >> 8), pid & 0xff, control]);
    if (room > 0) {
      packet[4] = room - 1;
      if (room > 1) packet[5] = 0;
      packet.set(adaptation, 5);
    }
    packet.set(payload, 4 + room);
    packets.push(packet);
  }

  function putUnit(pid: number, unit: Buffer, first: Buffer, packetsMax: number): void {
    let at = 0;
    for (let n = 0; n < packetsMax && at < unit.length; n++) {
      const adaptation = n === 0 ? first : EMPTY;
      const room = PACKET_BYTES - 4 - (adaptation.length > 0 ? 1 + adaptation.length : 0);
      const payload = unit.subarray(at, at + room);
      at += payload.length;
      put(pid, n === 0, adaptation, payload);
    }
  }

  function putSection(section: Buffer, pid: number): void {
    const counter = counters.get(pid) ?? 0;
    packets.push(sectionPackets(section, pid, counter));
    counters.set(pid, (counter + 1) & 15);
  }

  const pat = patSection();
  const pmt = pmtSection({
    number: 1,
    version: 0,
    pcrPid: VIDEO_PID,
    info: EMPTY,
    streams: [
      { pid: VIDEO_PID, type: 0x1b, kind: 'video', info: EMPTY },
      { pid: SOUND_PID, type: 0x03, kind: 'audio', info: EMPTY },
    ],
  });
  const noise = Buffer.from(
    Array.from({ length: perPicture * PACKET_BYTES }, (_, n) => ((n * 2_654_435_761) >>> 13) | 1),
  );
  const padding = Buffer.alloc(PACKET_BYTES, 0xff);
  padding.set([0x47, NULL_PID >> 8, NULL_PID & 0xff, 0x10]);

  for (let picture = 0; picture < seconds * PICTURES_A_SECOND; picture++) {
    const begun = packets.length;
    const isKey = picture % PICTURES_A_SECOND === 0;
    const ticks = picture * TICKS_A_PICTURE;
    if (picture % 2 === 0 || isKey) {
      putSection(pat, 0);
      putSection(pmt, PMT_PID);
    }
    const soundBytes = 10 * 184 - 20;
    putUnit(SOUND_PID, pes(0xc0, ticks + 45_000, soundOf(noise, soundBytes), soundBytes + 8), EMPTY, 10);
    const left = perPicture - (packets.length - begun);
    const nulls = Math.floor(left * PADDING_SHARE);
    const head = isKey
      ? Buffer.concat([PARAMETERS, Buffer.from([0, 0, 1, 0x65, 0x88])])
      : Buffer.from([0, 0, 1, 0x41, 0x9a]);
    // No picture like another: what repeats itself is a card that says that nothing is on.
    const turn = (picture * 997) % noise.length;
    const shown = [head, noise.subarray(turn), noise.subarray(0, turn)];
    const unit = pes(0xe0, ticks + 45_000, Buffer.concat(shown), 0);
    putUnit(VIDEO_PID, unit, clock(ticks, isKey), left - nulls);
    for (let n = 0; n < nulls; n++) packets.push(padding);
  }
  return Buffer.concat(packets);
}

const EMPTY = Buffer.alloc(0);

/** Layer II frames of 192 kbit/s at 48 kHz. */
function soundOf(noise: Buffer, bytes: number): Buffer {
  const frame = Buffer.concat([Buffer.from([0xff, 0xfd, 0xa4, 0x00]), noise.subarray(0, 572)]);
  const frames = Array.from({ length: Math.ceil(bytes / frame.length) }, () => frame);
  return Buffer.concat(frames).subarray(0, bytes);
}

function clock(ticks: number, isKey: boolean): Buffer {
  const bytes = Buffer.alloc(7);
  bytes[0] = 0x10 | (isKey ? 0x40 : 0);
  bytes.writeUInt32BE(Math.floor(ticks / 2), 1);
  bytes[5] = 0x7e | ((ticks & 1) << 7);
  return bytes;
}

function pes(streamId: number, pts: number, payload: Buffer, length: number): Buffer {
  const head = Buffer.from([0, 0, 1, streamId, length >> 8, length & 0xff, 0x80, 0x80, 5, 0, 0, 0, 0, 0]);
  head[9] = 0x21 | (Math.floor(pts / 2 ** 30) << 1);
  head[10] = (pts >>> 22) & 0xff;
  head[11] = ((pts >>> 14) & 0xfe) | 1;
  head[12] = (pts >>> 7) & 0xff;
  head[13] = ((pts << 1) & 0xfe) | 1;
  return Buffer.concat([head, payload]);
}

function patSection(): Buffer {
  const section = Buffer.from([
    0,
    0xb0,
    13,
    0,
    1,
    0xc1,
    0,
    0,
    0,
    1,
    0xe0 | (PMT_PID >> 8),
    PMT_PID & 0xff,
    0,
    0,
    0,
    0,
  ]);
  section.writeUInt32BE(crc32(section.subarray(0, -4)), section.length - 4);
  return section;
}
