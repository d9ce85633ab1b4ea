import { expect, it } from 'vitest';
import { playsMs, readClockMarks } from '../../src/capture/clockMarks.js';
import { PACKET_BYTES } from '../../src/capture/tsPackets.js';
import { loopPackets } from '../../src/demo/loopTs.js';
import { loopClip } from '../media/clip.js';
import { memoryDisk } from '../sim/memoryDisk.js';

const PATH = '/out/show.partial.ts';

async function diskWith(bytes: Uint8Array) {
  const disk = memoryDisk();
  await disk.mkdir('/out');
  const file = await disk.open(PATH, 'create');
  await file.write([bytes]);
  await file.close();
  return disk;
}

it.each([300, 3_000, 40_000])('says of %d packets by their ends how long they play', async (packets) => {
  const bytes = loopPackets(await loopClip(), 0, packets);
  const disk = await diskWith(Buffer.concat([bytes, Buffer.alloc(100, 0x47)]));
  const whole = await readClockMarks(disk, PATH, 0, bytes.length);
  const told = await playsMs(disk, PATH, 0, bytes.length + 100);
  expect(whole.playsMs).toBeGreaterThan(100);
  // To a mark, which comes every half second.
  expect(Math.abs((told ?? 0) - whole.playsMs)).toBeLessThanOrEqual(500);
  const from = 100 * PACKET_BYTES;
  expect(await playsMs(disk, PATH, from, bytes.length)).toBeLessThanOrEqual(told ?? 0);
});

it('says nothing of what has no clock, and that a moment is none', async () => {
  const disk = await diskWith(Buffer.alloc(20 * PACKET_BYTES, 0x47));
  expect(await playsMs(disk, PATH, 0, 20 * PACKET_BYTES)).toBeNull();
  expect(await playsMs(disk, PATH, 0, 0)).toBeNull();
});
