/**
 * Plain JSON values as short texts of bytes: ten thousand recordings are held as such rows, and read when somebody wants
 * one. As JSON they would be five times as large, as objects six, and every collection of garbage would walk them all.
 *
 * A row is one Latin-1 text, so that V8 keeps it as bytes without anything to follow. The names of an object's members
 * are written once for all rows, and so are texts that many rows have (which channel, which lane); what a text has in
 * common with the one before it in the same row is left out. Rows are read only by the packing that made them.
 */

export interface Packing {
  /** Null for what JSON cannot say as it is. Members that are undefined are left out, as in JSON. */
  pack(value: unknown): string | null;
  /** The same value again, in objects of its own. */
  unpack(row: string): unknown;
}

/** Members whose texts are few. */
const FEW: ReadonlySet<string> = new Set([
  'status',
  'value',
  'dnaId',
  'channelId',
  'guideNumber',
  'channelName',
  'group',
  'lane',
  'categories',
  'reason',
  'outcome',
  'cause',
  'code',
  'kind',
  'source',
  'channel',
  'recoveryReason',
  'cancelReason',
  'failReason',
]);
/** Members whose own members are called like things of the world: never the same twice. */
const SPELLED: ReadonlySet<string> = new Set(['health', 'children']);
/** More are spelled out, so that a year of changing channels fills no memory. */
const TEXTS_MAX = 8_192;
const SHAPES_MAX = 512;
const DEPTH_MAX = 64;
/** An object of more members than that is spelled out: its shape would hold the names of all its beginnings. */
const NAMES_MAX = 128;
/** So many texts of a row are looked at for one that is there already. */
const LOOKED_BACK = 32;

const NULL = 0;
const FALSE = 1;
const TRUE = 2;
const DOUBLE = 3;
const NATURAL = 4;
const LIST = 5;
/** Of known names, and with every name before its value. */
const SHAPED = 6;
const NAMED = 7;
/** Known to all rows, and there already in this one. */
const KNOWN = 8;
const AGAIN = 9;
const NARROW = 10;
const WIDE = 11;
const EMPTY = 12;
/** From here on the byte is the number itself. */
const SMALL = 16;
const SMALL_MAX = 255 - SMALL;

const NARROW_TEXT = /^[\0-\u00ff]*$/;
const START_BYTES = 64 * 1024;

/** Names in their order; a tree of all that were seen. */
interface Shape {
  readonly name: string;
  readonly names: readonly string[];
  readonly next: Map<string, Shape>;
  /** What followed last mostly follows again. */
  last: Shape | null;
  /** Null while no object of just these names was seen. */
  number: number | null;
}

function shapeWith(names: readonly string[]): Shape {
  return { name: names.at(-1) ?? '', names, next: new Map(), last: null, number: null };
}

class Unpackable extends Error {}

export function createPacking(): Packing {
  const root = shapeWith([]);
  const shapes: Shape[] = [];
  let shapesMade = 0;
  const numberOf = new Map<string, number>();
  const known: string[] = [];
  let bytes = Buffer.allocUnsafeSlow(START_BYTES);
  let at = 0;
  /** Texts of the row at hand that were written out, in order. */
  const own: string[] = [];

  function room(count: number): void {
    if (at + count <= bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(bytes.length * 2, at + count));
    bytes.copy(larger, 0, 0, at);
    bytes = larger;
  }

  function natural(value: number): void {
    room(8);
    let left = value;
    for (; left > 127; left = Math.floor(left / 128)) bytes[at++] = (left % 128) + 128;
    bytes[at++] = left;
  }

  function tagged(tag: number, value: number): void {
    room(1);
    bytes[at++] = tag;
    natural(value);
  }

  function byte(value: number): void {
    room(1);
    bytes[at++] = value;
  }

  function write(value: unknown, name: string, depth: number): void {
    switch (typeof value) {
      case 'string':
        return writeText(value, FEW.has(name));
      case 'number':
        return writeNumber(value);
      case 'boolean':
        return byte(value ? TRUE : FALSE);
      case 'object':
        if (value === null) return byte(NULL);
        if (depth > DEPTH_MAX || 'toJSON' in value) throw new Unpackable();
        if (!Array.isArray(value)) return writeRow(value as Record<string, unknown>, name, depth);
        tagged(LIST, value.length);
        for (const item of value) write(item, name, depth + 1);
        return undefined;
      default:
        throw new Unpackable();
    }
  }

  function writeNumber(value: number): void {
    if (Number.isSafeInteger(value) && value >= 0) {
      if (value <= SMALL_MAX) byte(SMALL + value);
      else tagged(NATURAL, value);
      return;
    }
    // JSON has neither.
    if (!Number.isFinite(value)) throw new Unpackable();
    room(9);
    bytes[at++] = DOUBLE;
    at = bytes.writeDoubleLE(value, at);
  }

  function writeText(text: string, few: boolean): void {
    if (text === '') return byte(EMPTY);
    if (few) {
      const number = numberOf.get(text) ?? learn(text);
      if (number !== null) return tagged(KNOWN, number);
    }
    const before = own.indexOf(text, Math.max(0, own.length - LOOKED_BACK));
    if (before >= 0) return tagged(AGAIN, before);
    const last = own.at(-1) ?? '';
    own.push(text);
    const shared = sharedLength(last, text);
    const rest = shared === 0 ? text : text.slice(shared);
    const narrow = NARROW_TEXT.test(rest);
    tagged(narrow ? NARROW : WIDE, shared);
    natural(rest.length);
    room(rest.length * 2);
    at += bytes.write(rest, at, narrow ? 'latin1' : 'utf16le');
    return undefined;
  }

  function learn(text: string): number | null {
    if (known.length >= TEXTS_MAX) return null;
    const number = known.push(text) - 1;
    numberOf.set(text, number);
    return number;
  }

  function writeRow(row: Record<string, unknown>, name: string, depth: number): void {
    const names = Object.keys(row);
    const shape = SPELLED.has(name) || names.length > NAMES_MAX ? null : shapeOf(row, names);
    if (shape) {
      tagged(SHAPED, shape.number ?? 0);
      for (const each of shape.names) write(row[each], each, depth + 1);
      return;
    }
    const told = names.filter((each) => row[each] !== undefined);
    tagged(NAMED, told.length);
    for (const each of told) {
      // Set as a member, it would be another's.
      if (each === '__proto__') throw new Unpackable();
      writeText(each, false);
      write(row[each], each, depth + 1);
    }
  }

  function shapeOf(row: Record<string, unknown>, names: readonly string[]): Shape | null {
    let shape = root;
    for (const name of names) {
      if (row[name] === undefined) continue;
      const next = shape.last?.name === name ? shape.last : (shape.next.get(name) ?? grown(shape, name));
      if (next === null) return null;
      shape.last = next;
      shape = next;
    }
    if (shape.number === null) {
      if (shapes.length >= SHAPES_MAX) return null;
      shape.number = shapes.push(shape) - 1;
    }
    return shape;
  }

  function grown(shape: Shape, name: string): Shape | null {
    // As many names as all shapes may have between them.
    if (name === '__proto__' || shapesMade >= SHAPES_MAX * DEPTH_MAX || shapes.length >= SHAPES_MAX)
      return null;
    shapesMade += 1;
    const next = shapeWith([...shape.names, name]);
    shape.next.set(name, next);
    return next;
  }

  function readNatural(): number {
    let value = 0;
    let scale = 1;
    for (let one = bytes[at++] ?? 0; ; one = bytes[at++] ?? 0) {
      if (one < 128) return value + one * scale;
      value += (one - 128) * scale;
      scale *= 128;
    }
  }

  function read(): unknown {
    const tag = bytes[at++] ?? NULL;
    if (tag >= SMALL) return tag - SMALL;
    switch (tag) {
      case FALSE:
        return false;
      case TRUE:
        return true;
      case DOUBLE:
        at += 8;
        return bytes.readDoubleLE(at - 8);
      case NATURAL:
        return readNatural();
      case LIST:
        return readList();
      case SHAPED:
        return readShaped();
      case NAMED:
        return readNamed();
      case NULL:
        return null;
      default:
        return readText(tag);
    }
  }

  function readList(): unknown[] {
    const items: unknown[] = [];
    for (let left = readNatural(); left > 0; left -= 1) items.push(read());
    return items;
  }

  function readShaped(): object {
    const { names } = shapes[readNatural()] ?? root;
    const row: Record<string, unknown> = {};
    for (const name of names) row[name] = read();
    return row;
  }

  function readNamed(): object {
    const row: Record<string, unknown> = {};
    for (let left = readNatural(); left > 0; left -= 1) {
      const name = String(read());
      row[name] = read();
    }
    return row;
  }

  function readText(tag: number): string {
    if (tag === EMPTY) return '';
    const first = readNatural();
    if (tag === KNOWN) return known[first] ?? '';
    if (tag === AGAIN) return own[first] ?? '';
    const units = readNatural();
    const from = at;
    at += tag === NARROW ? units : units * 2;
    const rest = bytes.toString(tag === NARROW ? 'latin1' : 'utf16le', from, at);
    const text = first === 0 ? rest : (own.at(-1) ?? '').slice(0, first) + rest;
    own.push(text);
    return text;
  }

  function begin(): void {
    at = 0;
    own.length = 0;
  }

  return {
    pack(value) {
      begin();
      try {
        write(value, '', 0);
      } catch {
        return null;
      }
      return bytes.toString('latin1', 0, at);
    },
    unpack(row) {
      begin();
      room(row.length);
      bytes.write(row, 0, 'latin1');
      return read();
    },
  };
}

function sharedLength(one: string, other: string): number {
  const most = Math.min(one.length, other.length);
  let length = 0;
  while (length < most && one.charCodeAt(length) === other.charCodeAt(length)) length += 1;
  return length;
}
