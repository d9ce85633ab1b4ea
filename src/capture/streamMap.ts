/**
 * Which stream of a new piece is which of the file's: video is video, sound is found by kind and language, what is new
 * gets a PID of its own. A player that had tuned in to the file goes on with the streams that it knows.
 */
import type { ElementaryStream, ProgrammeMap } from './psi.js';
import { pmtSection, type Tables } from './tables.js';
import { NULL_PID, PID_COUNT } from './tsPackets.js';

const FIRST_FREE_PID = 0x100;

export interface StreamMap {
  /** Takes the tables of a piece in; afterwards `tables` are those to be written before its data. */
  update(piece: Tables): void;
  /** PID in the file. */
  pid(pid: number): number;
  tables(): Tables | null;
}

/** `written`: the tables of the file, null where it has none; then the first ones of the piece are taken as they are. */
export function streamMap(written: Tables | null): StreamMap {
  let tables = written;
  let pids = new Map<number, number>();
  const taken = new Set<number>([NULL_PID, ...(written ? pidsOf(written) : [])]);

  function freePid(wanted: number): number {
    let pid = wanted;
    if (taken.has(pid)) for (pid = FIRST_FREE_PID; taken.has(pid) && pid < PID_COUNT; pid++);
    taken.add(pid);
    return pid;
  }

  function merge(file: Tables, piece: Tables): Tables {
    const streams = [...file.map.streams];
    const pairs = pairStreams(streams, piece.map.streams);
    pids = new Map([[piece.pmtPid, file.pmtPid]]);
    for (const stream of piece.map.streams) {
      const place = pairs.get(stream) ?? streams.length;
      const pid = streams[place]?.pid ?? freePid(stream.pid);
      streams[place] = { ...stream, pid };
      pids.set(stream.pid, pid);
    }
    const { pcrPid: own } = piece.map;
    const alone = !file.map.streams.some((stream) => stream.pid === file.map.pcrPid);
    const pcrPid = pids.get(own) ?? (own === NULL_PID ? own : alone ? file.map.pcrPid : freePid(own));
    pids.set(own, pcrPid);
    const { number, info, version } = file.map;
    const same = pmtSection({ number, info, version, pcrPid, streams });
    if (same.equals(pmtSection(file.map))) return file;
    const map: ProgrammeMap = { number, info, version: (version + 1) & 31, pcrPid, streams };
    return { ...file, map, pmt: pmtSection(map) };
  }

  return {
    update(piece) {
      if (!tables) {
        tables = piece;
        for (const pid of pidsOf(piece)) taken.add(pid);
      } else tables = merge(tables, piece);
    },
    pid(pid) {
      const known = pids.get(pid);
      if (known !== undefined) return known;
      // Nothing the tables speak of. PIDs of the standards (SDT, EIT) mean the same in every stream.
      const own = pid < 0x20 || !taken.has(pid) || tables === null ? pid : freePid(pid);
      if (tables !== null) pids.set(pid, own);
      return own;
    },
    tables: () => tables,
  };
}

function pidsOf({ pmtPid, map }: Tables): number[] {
  return [pmtPid, map.pcrPid, ...map.streams.map((stream) => stream.pid)];
}

/** The place in `file` of each stream of `piece` that is one of its streams. */
function pairStreams(
  file: readonly ElementaryStream[],
  piece: readonly ElementaryStream[],
): Map<ElementaryStream, number> {
  const pairs = new Map<ElementaryStream, number>();
  const used = new Set<number>();
  const rounds: ((a: ElementaryStream, b: ElementaryStream) => boolean)[] = [
    (a, b) => a.type === b.type && a.info.equals(b.info) && a.pid === b.pid,
    (a, b) => a.type === b.type && languageOf(a) === languageOf(b) && a.info.equals(b.info),
    (a, b) => a.kind !== 'other' && a.type === b.type && languageOf(a) === languageOf(b),
    (a, b) => a.kind === 'audio' && languageOf(a) !== '' && languageOf(a) === languageOf(b),
    (a, b) => a.kind !== 'other' && a.type === b.type,
    (a) => a.kind !== 'other',
  ];
  for (const fits of rounds) {
    for (const stream of piece) {
      if (pairs.has(stream)) continue;
      const place = file.findIndex((one, n) => !used.has(n) && one.kind === stream.kind && fits(one, stream));
      if (place < 0) continue;
      pairs.set(stream, place);
      used.add(place);
    }
  }
  return pairs;
}

/** Of an ISO 639 descriptor, or ''. */
function languageOf({ info }: ElementaryStream): string {
  for (let at = 0; at + 2 <= info.length; at += 2 + (info[at + 1] ?? 0)) {
    if (info[at] === 0x0a) return info.toString('latin1', at + 2, at + 5);
  }
  return '';
}
