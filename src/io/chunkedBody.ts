/**
 * HTTP/1.1 chunked coding (RFC 9112 7.1), taken off in place: what a read brought becomes one run of the body, however
 * small the chunks are that a provider sends it in.
 */

const CR = 0x0d;
const LF = 0x0a;
const SEMICOLON = 0x3b;
/** Longest chunk size line, extensions included; nobody honest comes near. */
const LINE_BYTES_MAX = 4_096;
/** More digits make no size that could be counted. */
const SIZE_MAX = 2 ** 48;

export interface ChunkedBody {
  /** Moves the body's bytes of `bytes[from..to]` together to `from`; gives where they end. */
  decode(bytes: Buffer, from: number, to: number): number;
  /** `end`: the last chunk and its trailer came. `broken`: this is no chunked coding; nothing more is decoded. */
  state(): 'open' | 'end' | 'broken';
  /** What was given and comes after the end. */
  leftBytes(): number;
}

type Stage = 'size' | 'extension' | 'data' | 'after' | 'trailer' | 'end' | 'broken';

export function chunkedBody(): ChunkedBody {
  let stage: Stage = 'size';
  /** Of the size that is read, or what is left of the chunk. */
  let size = 0;
  let digits = 0;
  let lineBytes = 0;
  let leftBytes = 0;

  function lineOver(): Stage {
    if (digits === 0) return 'broken';
    digits = 0;
    lineBytes = 0;
    return size === 0 ? 'trailer' : 'data';
  }

  function inSize(byte: number): Stage {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      digits++;
      size = size * 16 + digit;
      return size > SIZE_MAX ? 'broken' : 'size';
    }
    if (byte === LF) return lineOver();
    // Some pad the size with blanks.
    if (byte === SEMICOLON || byte === 0x20 || byte === 0x09) return 'extension';
    return byte === CR ? 'size' : 'broken';
  }

  function inTrailer(byte: number): Stage {
    if (byte === LF) {
      if (lineBytes === 0) return 'end';
      lineBytes = 0;
    } else if (byte !== CR) lineBytes++;
    return lineBytes > LINE_BYTES_MAX ? 'broken' : 'trailer';
  }

  function step(byte: number): Stage {
    switch (stage) {
      case 'size':
        return inSize(byte);
      case 'extension':
        lineBytes++;
        if (byte === LF) return lineOver();
        return lineBytes > LINE_BYTES_MAX ? 'broken' : 'extension';
      case 'after':
        if (byte === LF) return 'size';
        return byte === CR ? 'after' : 'broken';
      case 'trailer':
        return inTrailer(byte);
      case 'data':
      case 'end':
      case 'broken':
        return stage;
    }
  }

  return {
    decode(bytes, from, to) {
      let out = from;
      let at = from;
      while (at < to && stage !== 'end' && stage !== 'broken') {
        if (stage !== 'data') {
          stage = step(bytes[at] ?? 0);
          at++;
          continue;
        }
        const run = Math.min(size, to - at);
        if (out !== at) bytes.copyWithin(out, at, at + run);
        out += run;
        at += run;
        size -= run;
        if (size === 0) stage = 'after';
      }
      leftBytes += to - at;
      return out;
    },
    leftBytes: () => leftBytes,
    state: () => (stage === 'end' || stage === 'broken' ? stage : 'open'),
  };
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
