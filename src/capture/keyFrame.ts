/** Random access points: frames that a decoder can begin with, told by their flag or by what they carry. */
import { STREAM_H264, STREAM_HEVC, STREAM_MPEG1, STREAM_MPEG2 } from './psi.js';
import { adaptationFlags, isScrambled, PACKET_BYTES, payloadAt } from './tsPackets.js';

/** Whether the unit that starts in this packet can be decoded from: flagged so, or it carries the headers for it. */
export function isKey(buffer: Buffer, at: number, type: number): boolean {
  if (isScrambled(buffer, at)) return false;
  if ((adaptationFlags(buffer, at) & 0x40) !== 0) return true;
  const end = at + PACKET_BYTES;
  const pes = payloadAt(buffer, at);
  for (let code = pes + 9 + (buffer[pes + 8] ?? 0); code + 3 < end; code++) {
    if (buffer[code] !== 0 || buffer[code + 1] !== 0 || buffer[code + 2] !== 1) continue;
    const unit = buffer[code + 3] ?? 0;
    switch (type) {
      case STREAM_H264:
        if ((unit & 0x1f) === 5 || (unit & 0x1f) === 7) return true;
        break;
      case STREAM_HEVC: {
        const nal = (unit >> 1) & 0x3f;
        if ((nal >= 16 && nal <= 21) || nal === 33) return true;
        break;
      }
      case STREAM_MPEG1:
      case STREAM_MPEG2:
        if (unit === 0xb3) return true;
        break;
      default:
        return false;
    }
  }
  return false;
}
