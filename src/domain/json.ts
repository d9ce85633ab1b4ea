/** JSON as data. */
export type JsonValue =
  null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

export function isJsonRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** JSON that is written already, in UTF-8; in parts, because putting large ones together takes its time. */
export class JsonBytes {
  constructor(readonly parts: readonly Uint8Array[]) {}

  /** The same in blocks of so many bytes, but for the last: what is sent at once is copied at once. */
  *blocks(bytes: number): Generator<Uint8Array> {
    let block: Uint8Array[] = [];
    let room = bytes;
    for (const part of this.parts)
      for (let from = 0; from < part.byteLength;) {
        const piece = part.subarray(from, from + room);
        from += piece.byteLength;
        room -= piece.byteLength;
        block.push(piece);
        if (room > 0) continue;
        yield joined(block);
        [block, room] = [[], bytes];
      }
    if (block.length > 0) yield joined(block);
  }
}

/** A list whose items are told when it is written, one by one. */
export class ToldLater<T> {
  constructor(
    readonly items: readonly T[],
    readonly tell: (item: T) => unknown,
  ) {}

  toJSON(): unknown[] {
    return this.items.map((item) => this.tell(item));
  }
}

const ITEMS_A_TURN = 8;

/**
 * The same as `JSON.stringify`, but that of lists that are told later a few items are written in a turn: there may be
 * thousands, and captures want their turn (P1). Such lists are members of `value` itself.
 */
export async function writtenInTurns(value: object, turn: () => Promise<unknown>): Promise<JsonBytes> {
  const parts: Uint8Array[] = [];
  const write = (text: string) => void parts.push(Buffer.from(text));
  let separator = '{';
  for (const [name, member] of Object.entries(value)) {
    const isLater = member instanceof ToldLater;
    const text = isLater ? '[' : JSON.stringify(member);
    if (text === undefined) continue;
    write(`${separator}${JSON.stringify(name)}:${text}`);
    separator = ',';
    if (!isLater) continue;
    for (const [n, item] of member.items.entries()) {
      if (n % ITEMS_A_TURN === ITEMS_A_TURN - 1) await turn();
      write(`${n === 0 ? '' : ','}${JSON.stringify(member.tell(item)) ?? 'null'}`);
    }
    write(']');
  }
  write(separator === '{' ? '{}' : '}');
  return new JsonBytes(parts);
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const [only] = pieces;
  if (only && pieces.length === 1) return only;
  const whole = new Uint8Array(pieces.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.byteLength;
  }
  return whole;
}
