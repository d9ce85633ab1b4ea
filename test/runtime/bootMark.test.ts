import { describe, expect, it } from 'vitest';
import { silentLog } from '../../src/log.js';
import { readBootMark } from '../../src/runtime/bootMark.js';
import { memoryDisk } from '../sim/memoryDisk.js';
import { virtualClock } from '../sim/virtualClock.js';

const START_AT = Date.UTC(2026, 10, 23, 19, 30);
const HOUR_MS = 3_600_000;
const PATH = '/rec/.catchupd/clock';

async function machine() {
  const clock = virtualClock(START_AT);
  const disk = memoryDisk({ now: clock.now });
  await disk.mkdir('/rec/.catchupd');
  const open = (boot: string) => readBootMark({ disk, clock, log: silentLog }, PATH, boot);
  return { clock, disk, open, text: () => disk.glance(PATH)?.toString() ?? '' };
}

describe('the time by the uptime of the machine', () => {
  it('is known from the last life of the same boot, whatever became of the wall', async () => {
    const { clock, open } = await machine();
    const first = await open('boot-1 pid:[1]');
    expect(first.toldAt).toBeNull();
    await first.note(clock.now());
    await clock.run(HOUR_MS);
    clock.step(-40 * HOUR_MS);
    // A container that was made anew is another one to processes, and the same machine to the clock.
    expect((await open('boot-1 pid:[2]')).toldAt).toBe(START_AT + HOUR_MS);
    expect((await open('boot-2 pid:[1]')).toldAt).toBeNull();
    expect((await open('')).toldAt).toBeNull();
  });

  it('is written when it is news: after a boot, and when the wall was set right', async () => {
    const { clock, open, text } = await machine();
    const mark = await open('boot-1');
    await mark.note(clock.now());
    const written = text();
    await clock.run(HOUR_MS);
    clock.step(9_000);
    await mark.note(clock.now());
    expect(text()).toBe(written);
    clock.step(2_000);
    await mark.note(clock.now());
    expect(JSON.parse(text())).toEqual({ boot: 'boot-1', at: START_AT + HOUR_MS + 11_000, upMs: HOUR_MS });
    const other = await open('boot-2');
    await other.note(clock.now());
    expect(text()).toContain('boot-2');
  });

  it('is nobody’s where the file is damaged, and is tried again where it could not be written', async () => {
    const { clock, disk, open, text } = await machine();
    const mark = await open('boot-1');
    await disk.rmdir('/rec/.catchupd');
    await mark.note(clock.now());
    await disk.mkdir('/rec/.catchupd');
    expect(text()).toBe('');
    await mark.note(clock.now());
    expect(text()).toContain('boot-1');
    await disk.unlink(PATH);
    const file = await disk.open(PATH, 'append');
    await file.write([Buffer.from('{"boot":"boot-1","at"')]);
    await file.close();
    expect((await open('boot-1')).toldAt).toBeNull();
  });
});
