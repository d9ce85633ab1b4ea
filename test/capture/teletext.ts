/** Teletext in a clip: the packaged ffmpeg makes none, so its pages are packets of our own. */
import { shiftClock } from '../../src/capture/restamp.js';
import { streamScan } from '../../src/capture/streamScan.js';
import { pmtSection, sectionPackets } from '../../src/capture/tables.js';
import { pesTimesAt } from '../../src/capture/tsPackets.js';
import { eachPacket } from './spoolOfPieces.js';

const VIDEO = 0x100;

/** With a teletext stream: a page in a packet of its own after every tenth picture. */
export function withTeletext(bytes: Buffer, pid: number): Buffer {
  const out: Buffer[] = [];
  let pictures = 0;
  let pages = 0;
  eachPacket(bytes, (at) => {
    const packet = bytes.subarray(at, at + 188);
    const own = packet.readUInt16BE(1) & 0x1fff;
    const tables = own === 0x1000 ? tablesOf(bytes) : null;
    if (tables) {
      const info = Buffer.from([0x56, 5, 0x65, 0x6e, 0x67, 0x09, 0x00]);
      const streams = [...tables.map.streams, { pid, type: 0x06, kind: 'other' as const, info }];
      out.push(sectionPackets(pmtSection({ ...tables.map, streams }), own, (packet[3] ?? 0) & 15));
      return;
    }
    const times = own === VIDEO ? pesTimesAt(packet, 0) : null;
    if (times && pictures++ % 10 === 0) {
      const page = Buffer.alloc(188, 0xff);
      Buffer.from([0x47, 0x40 | (pid >> 8), pid & 0xff, 0x10 | (pages & 15)]).copy(page);
      Buffer.from([0, 0, 1, 0xbd, 0, 178, 0x84, 0x80, 0x24]).copy(page, 4);
      Buffer.from([0x21, 0, 1, 0, 1]).copy(page, 13);
      page[50] = pages++;
      shiftClock(page, 0, times.pts);
      out.push(page);
    }
    out.push(packet);
  });
  return Buffer.concat(out);
}

export function tablesOf(bytes: Buffer) {
  const scan = streamScan();
  scan.push(bytes, 0, bytes.length);
  return scan.tables();
}
