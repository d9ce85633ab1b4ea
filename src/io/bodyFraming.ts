/** Where the body of an HTTP/1 answer ends (RFC 9112 §6.3), for those who read it past a parser. */
import { chunkedBody } from './chunkedBody.js';

export interface BodyFraming {
  /** The body's own of these bytes, moved together in place; valid as long as they are. */
  take(bytes: Buffer): Buffer;
  /** `broken`: this is no chunked coding; nothing more is taken. */
  state(): 'open' | 'end' | 'broken';
  /** It ends where the connection does. */
  readonly lastsAsConnection: boolean;
  /** What is taken is what was given, up to the end. */
  readonly isPlain: boolean;
  /** What came after the end of the body. */
  leftBytes(): number;
}

const NONE: ReadonlySet<number> = new Set([204, 205, 304]);

export function bodyFraming(status: number, headers: Readonly<Record<string, string>>): BodyFraming {
  if (NONE.has(status)) return byLength(0);
  if (/\bchunked\b/i.test(headers['transfer-encoding'] ?? '')) return byChunks();
  const length = lengthOf(headers['content-length'] ?? '');
  const isOther = headers['transfer-encoding'] !== undefined;
  return length === null || isOther ? byConnection() : byLength(length);
}

/** Some say it twice. */
function lengthOf(header: string): number | null {
  const [first = '', ...more] = header.split(',').map((each) => each.trim());
  return /^\d{1,15}$/.test(first) && more.every((each) => each === first) ? Number(first) : null;
}

function byConnection(): BodyFraming {
  return {
    take: (bytes) => bytes,
    state: () => 'open',
    lastsAsConnection: true,
    isPlain: true,
    leftBytes: () => 0,
  };
}

function byLength(length: number): BodyFraming {
  let missing = length;
  let left = 0;
  return {
    take(bytes) {
      const own = bytes.subarray(0, Math.min(missing, bytes.length));
      missing -= own.length;
      left += bytes.length - own.length;
      return own;
    },
    state: () => (missing === 0 ? 'end' : 'open'),
    lastsAsConnection: false,
    isPlain: true,
    leftBytes: () => left,
  };
}

function byChunks(): BodyFraming {
  const coding = chunkedBody();
  return {
    take: (bytes) => bytes.subarray(0, coding.decode(bytes, 0, bytes.length)),
    state: () => coding.state(),
    lastsAsConnection: false,
    isPlain: false,
    leftBytes: () => coding.leftBytes(),
  };
}
