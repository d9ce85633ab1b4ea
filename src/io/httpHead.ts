/**
 * The head of an HTTP/1 answer (RFC 9112 §2 to §6), read by ourselves where a connection is ours alone
 * (`keptConnection.ts`). It is lenient where servers of this field are odd: bare line feeds, folded lines, lines that are no
 * header, `ICY` for `HTTP/1.0`.
 */

/** No honest head comes near. */
const HEAD_BYTES_MAX = 64 * 1024;
const STATUS_LINE = /^(?:HTTP\/(\d)\.(\d)|ICY) +(\d{3})(?: |$)/;
const END = /\r?\n\r?\n/;

export interface HttpHead {
  readonly status: number;
  /** Lower-case names; repeated headers joined by ', '. */
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies: readonly string[];
  /** The server means to take another request on this connection. */
  readonly staysOpen: boolean;
}

export interface HeadReader {
  /** Takes bytes until the head is over; what comes after it is left. */
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
      held = held.length === 0 ? Buffer.from(bytes) : Buffer.concat([held, bytes]);
      for (;;) {
        const text = held.toString('latin1', 0, HEAD_BYTES_MAX);
        const end = END.exec(text);
        if (!end) {
          const isHttp = held.length < 4 || /^(?:HTTP|ICY )/.test(text);
          return { kind: isHttp && held.length < HEAD_BYTES_MAX ? 'more' : 'broken' };
        }
        const head = parseHead(text.slice(0, end.index));
        // Nobody asked for another protocol.
        if (!head || head.status === 101) return { kind: 'broken' };
        held = held.subarray(end.index + end[0].length);
        if (head.status >= 200) return { kind: 'head', head, rest: held };
      }
    },
    hasBegun: () => begun,
  };
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
