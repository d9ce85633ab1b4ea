/** What a decoder makes of a file: the numbers its frames show, and everything it complains about. */
import { COLUMNS, ROWS } from './clip.js';
import { ffmpegPath, run } from './ffmpeg.js';

export interface Decoded {
  /** In the order in which they come out; -1 where a frame shows none. */
  readonly frames: readonly number[];
  /** ffmpeg's lines of level error, sound and picture. */
  readonly errors: readonly string[];
}

/** Each block is scaled down to a few pixels, of which the middle one decides. */
const CELL = 5;

/** Decodes picture and sound of a file, or of bytes. */
export async function decode(media: string | Buffer, level = 'error', format = 'mpegts'): Promise<Decoded> {
  const width = COLUMNS * CELL;
  const height = ROWS * CELL;
  const ran = await run(
    ffmpegPath,
    [
      ['-v', level, '-f', format, '-i', typeof media === 'string' ? media : '-'],
      [
        '-max_muxing_queue_size',
        '9999',
        '-map',
        '0:v?',
        '-vsync',
        '0',
        '-vf',
        `scale=${width}:${height}:flags=area`,
      ],
      [
        '-f',
        'rawvideo',
        '-pix_fmt',
        'gray',
        '-',
        '-max_muxing_queue_size',
        '9999',
        '-map',
        '0:a?',
        '-f',
        'null',
        '/dev/null',
      ],
    ].flat(),
    typeof media === 'string' ? undefined : (write) => write(media),
  );
  const frames: number[] = [];
  const bytes = width * height;
  for (let at = 0; at + bytes <= ran.stdout.length; at += bytes) {
    frames.push(readNumber(ran.stdout.subarray(at, at + bytes), width));
  }
  return { frames, errors: ran.stderr.split('\n').filter((line) => line.trim() !== '') };
}

/** What ffmpeg complains about in the sound of a stream that has no picture. */
export async function soundErrors(media: Buffer): Promise<string[]> {
  const args = ['-v', 'warning', '-f', 'mpegts', '-i', '-', '-map', '0:a', '-f', 'null', '-'];
  const ran = await run(ffmpegPath, args, (write) => write(media));
  return ran.stderr.split('\n').filter((line) => line.trim() !== '');
}

function readNumber(frame: Buffer, width: number): number {
  let number = 0;
  for (let bit = 0; bit < COLUMNS * ROWS; bit++) {
    const x = (bit % COLUMNS) * CELL + 2;
    const y = Math.floor(bit / COLUMNS) * CELL + 2;
    const grey = frame[y * width + x] ?? 0;
    if (grey > 96 && grey < 160) return -1;
    if (grey >= 160) number |= 1 << bit;
  }
  return number;
}

/**
 * Where a number is not one more than the one before, modulo the length of the loop they come from: `INDEX: BEFORE, THIS`
 * each, and nothing where not one picture is missing and none is there twice.
 */
export function breaksOf(frames: readonly number[], loop = Number.MAX_SAFE_INTEGER): string[] {
  return frames.flatMap((frame, index) => {
    const before = frames[index - 1];
    return before === undefined || frame === (before + 1) % loop ? [] : [`${index}: ${before}, ${frame}`];
  });
}

export interface Probed {
  readonly streams: readonly { readonly type: string; readonly codec: string }[];
  readonly durationS: number;
}

/** What a player would make of a file before it plays it: its streams, and its length by their time stamps. */
export async function probe(path: string): Promise<Probed> {
  // ffprobe shows the same in a better form, but the packaged one does not run on every system.
  const { stderr } = await run(ffmpegPath, ['-hide_banner', '-i', path]);
  const [, hours = '0', minutes = '0', seconds = '0'] = /Duration: (\d+):(\d+):([\d.]+)/.exec(stderr) ?? [];
  const streams = [...stderr.matchAll(/^ *Stream #.*?: (Video|Audio|Subtitle|Data): (\w+)/gm)];
  return {
    streams: streams.map(([, type = '', codec = '']) => ({ type: type.toLowerCase(), codec })),
    durationS: Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds),
  };
}
