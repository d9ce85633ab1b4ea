/** PAT and PMT as they pass, and as they are written anew: the tables of the one programme a piece is recorded for. */
import {
  chosenProgramme,
  crc32,
  parsePat,
  parsePmt,
  sectionCollector,
  type Programme,
  type ProgrammeMap,
  type SectionCollector,
} from './psi.js';
import { PACKET_BYTES, startsUnit } from './tsPackets.js';

export interface Tables {
  readonly pmtPid: number;
  readonly map: ProgrammeMap;
  /** The sections, whole. */
  readonly pat: Buffer;
  readonly pmt: Buffer;
}

export interface TableReader {
  /** Whether the PID is one of tables; `changed` when this packet made known what was not known before. */
  push(buffer: Buffer, at: number, pid: number): 'table' | 'changed' | 'other';
  tables(): Tables | null;
  /** The number of the programme, by the PAT; null before there was one. */
  programme(): number | null;
  /** Where the PMT comes, by the PAT; -1 before there was one. */
  pmtPid(): number;
}

/**
 * `wanted`: number of the programme to follow where there are several; null for the first one. Once chosen it is followed
 * whatever their order is.
 */
export function tableReader(wanted: number | null = null): TableReader {
  const patSections = sectionCollector();
  let pat: Buffer | null = null;
  let programme: Programme | undefined;
  let pmt: { readonly pid: number; readonly sections: SectionCollector } | null = null;
  let known: Tables | null = null;
  const patAgain = repetition();
  const pmtAgain = repetition();

  return {
    push(buffer, at, pid) {
      if (pid === 0) {
        if (patAgain.is(buffer, at)) return 'table';
        const section = patSections.push(buffer, at);
        patAgain.note(buffer, at, section !== null);
        if (section) programme = chosenProgramme(section, wanted, programme);
        if (section && programme) {
          const { number } = programme;
          if (parsePat(section)?.some((one) => one.number === number)) pat = section;
          if (pmt?.pid !== programme.pmtPid) {
            pmt = { pid: programme.pmtPid, sections: sectionCollector() };
            pmtAgain.forget();
          }
        }
        return 'table';
      }
      if (!pmt || pid !== pmt.pid) return 'other';
      if (pmtAgain.is(buffer, at)) return 'table';
      const section = pmt.sections.push(buffer, at);
      pmtAgain.note(buffer, at, section !== null);
      const map = section && parsePmt(section);
      if (!section || !map || !pat) return 'table';
      if (known?.pmtPid === pid && known.pmt.equals(section)) return 'table';
      known = { pmtPid: pid, map, pat, pmt: section };
      return 'changed';
    },
    tables: () => known,
    programme: () => programme?.number ?? null,
    pmtPid: () => pmt?.pid ?? -1,
  };
}

/**
 * Tables come ten times a second, each a packet like the one before it but for its counter: that one is known at a
 * glance. `said`: the packet brought a section to its end.
 */
function repetition() {
  let seen: Buffer | null = null;
  return {
    is: (buffer: Buffer, at: number): boolean =>
      seen !== null &&
      seen[1] === buffer[at + 1] &&
      ((seen[3] ?? 0) & 0xf0) === ((buffer[at + 3] ?? 0) & 0xf0) &&
      buffer.compare(seen, 4, PACKET_BYTES, at + 4, at + PACKET_BYTES) === 0,
    note(buffer: Buffer, at: number, said: boolean): void {
      seen = said && startsUnit(buffer, at) ? Buffer.from(buffer.subarray(at, at + PACKET_BYTES)) : null;
    },
    forget: () => void (seen = null),
  };
}

/** A PMT section of these streams, with its CRC (ISO 13818-1 2.4.4.8). */
export function pmtSection(map: ProgrammeMap): Buffer {
  const streams = map.streams.map(({ pid, type, info }) =>
    Buffer.concat([
      Buffer.from([type, 0xe0 | (pid >> 8), pid & 0xff, 0xf0 | (info.length >> 8), info.length & 0xff]),
      info,
    ]),
  );
  const body = Buffer.concat([
    Buffer.from([map.number >> 8, map.number & 0xff, 0xc1 | (map.version << 1), 0, 0]),
    Buffer.from([0xe0 | (map.pcrPid >> 8), map.pcrPid & 0xff]),
    Buffer.from([0xf0 | (map.info.length >> 8), map.info.length & 0xff]),
    map.info,
    ...streams,
  ]);
  const length = body.length + 4;
  const section = Buffer.concat([
    Buffer.from([0x02, 0xb0 | (length >> 8), length & 0xff]),
    body,
    Buffer.alloc(4),
  ]);
  section.writeUInt32BE(crc32(section.subarray(0, -4)), section.length - 4);
  return section;
}

/** A section in packets of its own; `firstCounter` is the continuity counter of the first. */
export function sectionPackets(section: Buffer, pid: number, firstCounter: number): Buffer {
  const pointed = Buffer.concat([Buffer.from([0]), section]);
  const room = PACKET_BYTES - 4;
  const count = Math.ceil(pointed.length / room);
  const packets = Buffer.alloc(count * PACKET_BYTES, 0xff);
  for (let n = 0; n < count; n++) {
    const start = n === 0 ? 0x40 : 0;
    const header = [0x47, start | (pid >> 8), pid & 0xff, 0x10 | ((firstCounter + n) & 15)];
    Buffer.from(header).copy(packets, n * PACKET_BYTES);
    pointed.copy(packets, n * PACKET_BYTES + 4, n * room, Math.min(pointed.length, (n + 1) * room));
  }
  return packets;
}
