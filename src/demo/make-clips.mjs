/**
 * Makes the four clips of the demo source: `node src/demo/make-clips.mjs`. They are in the tree, so this runs only when
 * a picture is to change. 6.4 s is 160 frames at 25 a second and 300 AAC frames at 48 kHz, so a loop has no seam; the
 * tones have whole periods in it, and the sound is made a little longer than the picture (see loopTs.ts).
 */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SECONDS = 6.4;
const SIZE = '320x180';
const { path: ffmpeg } = createRequire(import.meta.url)('@ffmpeg-installer/ffmpeg');
const folder = join(dirname(fileURLToPath(import.meta.url)), 'clips');

/** Something moves in each, so that a still picture is seen for what it is. */
const PICTURES = [
  { toneHz: 440, source: `testsrc2=size=${SIZE}:rate=25`, filter: 'null' },
  {
    toneHz: 550,
    source: `smptebars=size=${SIZE}:rate=25[bars];color=white:size=30x40:rate=25[box];[bars][box]overlay=x='mod(t*50\\,320)-30':y=70`,
    filter: 'null',
  },
  {
    toneHz: 660,
    source: `mandelbrot=size=${SIZE}:rate=25:start_scale=1.2:end_scale=0.4:end_pts=160`,
    filter: 'null',
  },
  {
    toneHz: 880,
    source: `life=size=80x45:rate=25:mold=12:ratio=0.12:seed=7:death_color=#203060:life_color=#f0d060`,
    filter: `scale=${SIZE}:flags=neighbor`,
  },
];

for (const [index, { toneHz, source, filter }] of PICTURES.entries()) {
  const file = join(folder, `channel-${index + 1}.mpegts`);
  const tone = `sine=frequency=${toneHz}:sample_rate=48000`;
  const args = [
    ['-v', 'error', '-y', '-f', 'lavfi', '-t', SECONDS, '-i', source],
    ['-f', 'lavfi', '-t', SECONDS + 0.3, '-i', tone, '-map', '0:v', '-map', '1:a', '-vf', filter],
    ['-c:v', 'libx264', '-preset', 'veryslow', '-profile:v', 'main', '-pix_fmt', 'yuv420p', '-bf', '0'],
    ['-g', '20', '-keyint_min', '20', '-sc_threshold', '0', '-b:v', '170k', '-maxrate', '220k'],
    ['-bufsize', '220k', '-c:a', 'aac', '-b:a', '48k', '-ac', '1', '-pes_payload_size', '0'],
    ['-muxdelay', '0.4', '-map_metadata', '-1', '-metadata', 'service_name=catchupd demo'],
    ['-metadata', `service_provider=channel ${index + 1}`, '-fflags', '+bitexact', '-f', 'mpegts', file],
  ];
  const ran = spawnSync(ffmpeg, args.flat().map(String), { stdio: 'inherit' });
  if (ran.status !== 0) process.exit(1);
}
