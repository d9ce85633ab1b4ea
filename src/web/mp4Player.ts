/**
 * Fragmented MP4 that still grows, in a video element: read as it comes and handed over piece by piece, for browsers
 * take a file without an end only as far as it was there when they asked.
 */

/** So much is fetched ahead of what is shown, and kept behind it. */
const AHEAD_S = 60;
const BEHIND_S = 60;
/** A jump of the clock at least so far ahead is a hole in the recording, and is passed over. */
const HOLE_S = 0.5;

const hex = (value: number) => value.toString(16).padStart(2, '0');
const bitsReversed = (value: number) =>
  Number.parseInt(value.toString(2).padStart(32, '0').split('').toReversed().join(''), 2);

/** What each box that describes a decoder is called in a media type (RFC 6381); `body` is what is in the box. */
const CODECS: Readonly<Record<string, (body: DataView) => string>> = {
  avcC: (body) => `avc1.${hex(body.getUint8(1))}${hex(body.getUint8(2))}${hex(body.getUint8(3))}`,
  hvcC: (body) => {
    const profile = body.getUint8(1);
    const compatible = bitsReversed(body.getUint32(2)).toString(16);
    return `hvc1.${profile & 31}.${compatible}.${(profile & 32) === 0 ? 'L' : 'H'}${body.getUint8(12)}.${hex(body.getUint8(6))}`;
  },
  av1C: (body) => {
    const level = String(body.getUint8(1) & 31).padStart(2, '0');
    const depth = (body.getUint8(2) & 64) === 0 ? '08' : '10';
    return `av01.${body.getUint8(1) >> 5}.${level}${(body.getUint8(2) & 128) === 0 ? 'M' : 'H'}.${depth}`;
  },
  esds: () => 'mp4a.40.2',
  dac3: () => 'ac-3',
  dec3: () => 'ec-3',
  dOps: () => 'opus',
};

/** The media type of an initialization section, or null while it is not whole. */
export function mediaTypeOf(bytes: Uint8Array): string | null {
  const text = new TextDecoder('latin1').decode(bytes);
  const moov = text.indexOf('moov');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (moov < 4 || view.getUint32(moov - 4) > bytes.length - (moov - 4)) return null;
  const codecs = Object.entries(CODECS).flatMap(([box, name]) => {
    const at = text.indexOf(box, moov);
    return at < 0 ? [] : [name(new DataView(bytes.buffer, bytes.byteOffset + at + 4))];
  });
  return `video/mp4; codecs="${codecs.join(',')}"`;
}

/** Plays until it is closed by what is returned. */
export function followMp4(
  video: HTMLVideoElement,
  url: string,
  onProblem: (text: string) => void,
): () => void {
  const closing = new AbortController();
  const { signal } = closing;
  const source = new MediaSource();
  const address = URL.createObjectURL(source);
  video.src = address;

  const happened = (target: EventTarget, ...names: readonly string[]) =>
    new Promise<void>((resolve) => {
      for (const name of names) target.addEventListener(name, () => resolve(), { once: true, signal });
    });

  async function append(buffer: SourceBuffer, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    buffer.appendBuffer(bytes);
    await happened(buffer, 'updateend');
    if (video.error) throw new Error(video.error.message);
    const from = buffer.buffered.length > 0 ? buffer.buffered.start(0) : 0;
    if (video.currentTime < from) video.currentTime = from;
    passHole(buffer);
    if (video.currentTime - from < 2 * BEHIND_S) return;
    buffer.remove(from, video.currentTime - BEHIND_S);
    await happened(buffer, 'updateend');
  }

  function passHole({ buffered }: SourceBuffer): void {
    for (let n = 1; n < buffered.length; n += 1) {
      const end = buffered.end(n - 1);
      if (video.currentTime > end - HOLE_S && video.currentTime < buffered.start(n))
        video.currentTime = buffered.start(n);
    }
  }

  const isFarAhead = ({ buffered }: SourceBuffer) =>
    buffered.length > 0 && buffered.end(buffered.length - 1) - video.currentTime > AHEAD_S;

  async function run(): Promise<void> {
    const response = await fetch(url, { signal });
    if (!response.ok || !response.body) throw new Error(`${response.status}`);
    if (source.readyState !== 'open') await happened(source, 'sourceopen');
    const reader = response.body.getReader();
    let head: Uint8Array<ArrayBuffer> = new Uint8Array();
    let buffer: SourceBuffer | null = null;
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      head = joined(head, value);
      const type: string | null = buffer ? '' : mediaTypeOf(head);
      if (type === null) continue;
      if (type !== '' && !MediaSource.isTypeSupported(type))
        throw new Error(`this browser cannot play ${type}`);
      buffer ??= source.addSourceBuffer(type);
      await append(buffer, head);
      head = new Uint8Array();
      while (isFarAhead(buffer)) {
        await happened(video, 'timeupdate', 'seeked');
        passHole(buffer);
      }
    }
    if (source.readyState === 'open') source.endOfStream();
  }

  void run().catch((error: unknown) => {
    if (!signal.aborted) onProblem(`It stopped: ${error instanceof Error ? error.message : String(error)}`);
  });
  return () => {
    closing.abort();
    URL.revokeObjectURL(address);
    video.removeAttribute('src');
    video.load();
  };
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
