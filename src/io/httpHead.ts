/**
 * The head of an HTTP/1 answer (RFC 9112 §2 to §6), read by ourselves where a connection is ours alone
 * (`keptConnection.ts`). It is lenient where servers of this field are odd: bare line feeds, folded lines, lines that are no
 * header, `ICY` for `HTTP/1.0`.
 */

/** No honest head comes near. */
const HEAD_BYTES_MAX = 64 * 1024;
const STATUS_LINE = /^(?:HTTP\/(\d)\.(\d)|ICY) +(\d{3})(?: |$)/;
const LF = 0x0a;
const CR = 0x0d;

export interface HttpHead {
  readonly status: number;
  /** Lower-case names; repeated headers joined by ', '. */
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies: readonly string[];
  /** The server means to take another request on this connection. */
  readonly staysOpen: boolean;
}

export interface HeadReader {
  /** Takes bytes until the head is over; what comes after it is left, a view of them or a copy. */
  push(bytes: Buffer): HeadRead;
  /** Whether anything was read. */
  hasBegun(): boolean;
}

export type HeadRead =
  | { readonly kind: 'more' }
  | { readonly kind: 'head'; readonly head: HttpHead; readonly rest: Buffer }
  | { readonly kind: 'broken' };

export function headReader(): HeadReader {
  let held: Buffer = Buffer.alloc(0);
  let begun = false;

  return {
    push(bytes) {
      begun ||= bytes.length > 0;
      let all = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
      for (;;) {
        const end = endOfHead(all);
        if (end < 0) {
          held = Buffer.from(all);
          const isHttp = held.length < 4 || /^(?:HTTP|ICY )/.test(held.toString('latin1', 0, 5));
          return { kind: isHttp && held.length < HEAD_BYTES_MAX ? 'more' : 'broken' };
        }
        const head = parseHead(all.toString('latin1', 0, end).trimEnd());
        // Nobody asked for another protocol.
        if (!head || head.status === 101) return { kind: 'broken' };
        all = all.subarray(end);
        if (head.status >= 200) return { kind: 'head', head, rest: all };
      }
    },
    hasBegun: () => begun,
  };
}

/** Behind the empty line that ends a head, or -1. */
function endOfHead(bytes: Buffer): number {
  const until = Math.min(bytes.length, HEAD_BYTES_MAX);
  for (let line = bytes.indexOf(LF); line >= 0 && line < until; line = bytes.indexOf(LF, line + 1)) {
    const next = bytes[line + 1] === CR ? line + 2 : line + 1;
    if (next < until && bytes[next] === LF) return next + 1;
  }
  return -1;
}

function parseHead(text: string): HttpHead | null {
  const [first = '', ...lines] = text.split(/\r?\n/);
  const status = STATUS_LINE.exec(first);
  if (!status) return null;
  const headers: Record<string, string> = {};
  const cookies: string[] = [];
  for (const line of unfolded(lines)) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon)).trim().toLowerCase();
    if (name === '') continue;
    const value = line.slice(colon + 1).trim();
    if (name === 'set-cookie') cookies.push(value);
    const before = headers[name];
    headers[name] = before === undefined ? value : `${before}, ${value}`;
  }
  const isNew = status[1] === '1' && status[2] !== '0';
  const connection = headers['connection'] ?? '';
  const staysOpen = isNew ? !/\bclose\b/i.test(connection) : /\bkeep-alive\b/i.test(connection);
  return { status: Number(status[3]), headers, cookies, staysOpen };
}

/** Lines that begin with a blank go on with the one before. */
function unfolded(lines: readonly string[]): readonly string[] {
  const whole: string[] = [];
  for (const line of lines) {
    const before = whole.at(-1);
    if (/^[ \t]/.test(line) && before !== undefined) whole[whole.length - 1] = `${before} ${line.trim()}`;
    else whole.push(line);
  }
  return whole;
}
