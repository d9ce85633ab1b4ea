/**
 * How long the sound in a PES packet lasts: its frames say. A PES packet of sound holds one frame or many, and another
 * multiplexer divides the same sound in other ways, so only this tells where it ends.
 */
import { CLOCK_HZ } from './tsPackets.js';

const STREAM_MPEG1_AUDIO = 0x03;
const STREAM_MPEG2_AUDIO = 0x04;
const STREAM_ADTS = 0x0f;
const ADTS_HZ = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
];
const MPEG1_HZ = [44_100, 48_000, 32_000];
/** Of layer II, kbit/s: MPEG-1, then the lower rates of MPEG-2. */
const LAYER2_KBIT = [
  [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];

interface Frame {
  readonly bytes: number;
  readonly seconds: number;
}

/** Of the frames that begin in `payload`, in 90 kHz ticks; 0 where that is not known. */
export function soundTicks(payload: Buffer, type: number): number {
  let seconds = 0;
  let at = payload.indexOf(0xff);
  while (at >= 0 && at + 4 <= payload.length) {
    const frame = type === STREAM_ADTS ? adtsFrame(payload, at) : layer2Frame(payload, at, type);
    if (!frame) return 0;
    seconds += frame.seconds;
    at += frame.bytes;
  }
  return Math.round(seconds * CLOCK_HZ);
}

/** ISO 13818-7 6.2: 1024 samples. */
function adtsFrame(payload: Buffer, at: number): Frame | null {
  if (payload.readUInt16BE(at) >> 4 !== 0xfff || at + 6 > payload.length) return null;
  const hz = ADTS_HZ[((payload[at + 2] ?? 0) >> 2) & 15];
  const bytes = (payload.readUInt32BE(at + 2) >> 5) & 0x1fff;
  const blocks = ((payload[at + 6] ?? 0) & 3) + 1;
  return hz === undefined || bytes < 7 ? null : { bytes, seconds: (1024 * blocks) / hz };
}

/** ISO 11172-3 2.4: 1152 samples; the lower rates of ISO 13818-3 are half of those. */
function layer2Frame(payload: Buffer, at: number, type: number): Frame | null {
  const header = payload.readUInt32BE(at);
  const isLayer2 = header >>> 21 === 0x7ff && ((header >> 17) & 3) === 2;
  if (!isLayer2 || (type !== STREAM_MPEG1_AUDIO && type !== STREAM_MPEG2_AUDIO)) return null;
  const isMpeg1 = ((header >> 19) & 1) === 1;
  const kbit = LAYER2_KBIT[isMpeg1 ? 0 : 1]?.[((header >> 12) & 15) - 1];
  const hz = (MPEG1_HZ[(header >> 10) & 3] ?? 0) / (isMpeg1 ? 1 : 2);
  if (kbit === undefined || hz === 0) return null;
  return { bytes: Math.floor((144_000 * kbit) / hz) + ((header >> 9) & 1), seconds: 1152 / hz };
}
