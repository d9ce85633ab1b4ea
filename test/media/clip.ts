/** Clips whose every frame shows its own number, made by ffmpeg when a test first asks for them, kept between runs. */
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { parseClip, type LoopClip } from '../../src/demo/loopTs.js';
import { cacheFolder, ffmpegPath, run } from './ffmpeg.js';

/** A number is drawn as black and white blocks, lowest bit first, in rows. */
export const COLUMNS = 8;
export const ROWS = 3;
const VERSION = 2;

export interface ClipShape {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  /** Frames between key frames. */
  readonly gop: number;
  /** Use a common multiple of frame and audio frame (1024 samples at 48 kHz) for clips that are to be looped. */
  readonly seconds: number;
  /** Of the video, constant (padded); 0 leaves it to the encoder. */
  readonly bitrate: number;
  /** From a frame's number to the next one's; 0 makes a still picture. */
  readonly step: number;
  /** Of the sound. */
  readonly toneHz: number;
  readonly firstNumber: number;
  /** Sound gathered in one PES packet; 0 is one frame each, which a clip that is to be looped needs. */
  readonly pesBytes: number;
  readonly codec: 'libx264' | 'mpeg2video' | 'libx265';
  /** Further options of the encoder. */
  readonly encoder: string;
  /** Sounds, each with a language of its own and a tone above the last. */
  readonly languages: string;
  /** Further options of the multiplexer. */
  readonly muxer: string;
}

export const SMALL_CLIP: ClipShape = {
  width: 320,
  height: 180,
  fps: 25,
  gop: 20,
  seconds: 6.4,
  bitrate: 0,
  step: 1,
  toneHz: 500,
  firstNumber: 0,
  pesBytes: 0,
  codec: 'libx264',
  encoder: '-bf 0',
  languages: '',
  muxer: '-muxdelay 0.4',
};

/** Absolute path of the clip, made where it is missing. Safe beside other tests doing the same. */
export async function clipPath(wanted: Partial<ClipShape> = {}): Promise<string> {
  const shape = { ...SMALL_CLIP, ...wanted };
  const name = Object.values(shape)
    .join('-')
    .replaceAll(/[^\w.-]/g, '_');
  const path = join(cacheFolder(), `clip${VERSION}-${name}.mpegts`);
  if (existsSync(path)) return path;
  const making = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  const rate = ['-b:v', `${shape.bitrate}`, '-minrate', `${shape.bitrate}`, '-maxrate', `${shape.bitrate}`];
  const constant = [...rate, '-bufsize', `${shape.bitrate}`, '-x264-params', 'nal-hrd=cbr:force-cfr=1'];
  const quality = { libx264: ['-crf', '23'], libx265: ['-crf', '28'], mpeg2video: ['-q:v', '4'] };
  const preset = shape.codec === 'mpeg2video' ? [] : ['-preset', 'ultrafast'];
  const size = `${shape.width}x${shape.height}`;
  const languages = shape.languages === '' ? [''] : shape.languages.split(' ');
  const tone = (n: number) => `sine=frequency=${shape.toneHz * (n + 1)}:sample_rate=48000`;
  const words = (options: string) => options.split(' ').filter((word) => word !== '');
  const ran = await run(
    ffmpegPath,
    [
      [
        '-v',
        'error',
        '-y',
        '-f',
        'rawvideo',
        '-pix_fmt',
        'gray',
        '-s',
        size,
        '-r',
        `${shape.fps}`,
        '-i',
        '-',
      ],
      ...languages.map((_, n) => ['-f', 'lavfi', '-t', `${shape.seconds + 0.3}`, '-i', tone(n)]),
      ['-map', '0:v', ...languages.flatMap((_, n) => ['-map', `${n + 1}:a`])],
      languages.flatMap((name, n) => (name === '' ? [] : [`-metadata:s:a:${n}`, `language=${name}`])),
      ['-c:v', shape.codec, ...preset, '-pix_fmt', 'yuv420p'],
      ['-g', `${shape.gop}`, '-keyint_min', `${shape.gop}`, '-sc_threshold', '0', ...words(shape.encoder)],
      shape.bitrate > 0 ? constant : quality[shape.codec],
      ['-c:a', 'aac', '-b:a', '64k', '-pes_payload_size', `${shape.pesBytes}`],
      [...words(shape.muxer), '-f', 'mpegts', making],
    ].flat(),
    (write) => {
      const frames = Math.round(shape.seconds * shape.fps);
      for (let n = 0; n < frames; n++)
        write(drawNumber(shape.firstNumber + n * shape.step, shape.width, shape.height));
    },
  );
  if (ran.code !== 0) throw new Error(`ffmpeg made no clip: ${ran.stderr}`);
  renameSync(making, path);
  return path;
}

export async function clipBytes(wanted: Partial<ClipShape> = {}): Promise<Buffer> {
  return readFileSync(await clipPath(wanted));
}

export async function loopClip(wanted: Partial<ClipShape> = {}): Promise<LoopClip> {
  return parseClip(await clipBytes(wanted));
}

function drawNumber(number: number, width: number, height: number): Buffer {
  const frame = Buffer.alloc(width * height);
  for (let y = 0; y < height; y++) {
    const row = Math.floor((y * ROWS) / height);
    for (let x = 0; x < width; x++) {
      const bit = row * COLUMNS + Math.floor((x * COLUMNS) / width);
      frame[y * width + x] = (number >> bit) & 1 ? 224 : 32;
    }
  }
  return frame;
}

/** The same as fragmented MP4: its initialization section, and a fragment from each key frame to the next. */
export async function fragmentedClip(
  wanted: Partial<ClipShape> = {},
  muxer = '',
): Promise<{ readonly init: Buffer; readonly fragments: readonly Buffer[] }> {
  const flags = 'frag_keyframe+delay_moov+default_base_moof';
  const args = ['-v', 'error', '-i', await clipPath(wanted), '-c', 'copy', '-bsf:a', 'aac_adtstoasc'];
  const more = muxer.split(' ').filter((word) => word !== '');
  const { stdout } = await run(ffmpegPath, [...args, ...more, '-movflags', flags, '-f', 'mp4', '-']);
  const cuts: number[] = [];
  let at = 0;
  while (at + 8 <= stdout.length) {
    const type = stdout.toString('latin1', at + 4, at + 8);
    if (type === 'moof' || type === 'mfra') cuts.push(at);
    at += stdout.readUInt32BE(at);
  }
  const fragments = cuts.slice(0, -1).map((from, n) => stdout.subarray(from, cuts[n + 1]));
  return { init: stdout.subarray(0, cuts[0]), fragments };
}
