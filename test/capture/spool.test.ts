import { describe, expect, it } from 'vitest';
import { isTrouble, openSpool } from '../../src/capture/spool.js';
import { memoryDisk } from '../sim/memoryDisk.js';

const PATH = '/rec/general/news.partial.ts';
const PACKET = Buffer.alloc(188, 0x47);

describe('a new spool', () => {
  it('keeps what was synced over a power cut, its name and its new folder too', async () => {
    const disk = memoryDisk();
    await disk.mkdir('/rec');
    await disk.syncFolder('/');
    await disk.mkdir('/rec/general');
    const spool = await openSpool(disk, PATH);
    if (isTrouble(spool)) throw new Error(spool.code);
    await spool.write([PACKET, PACKET]);
    await spool.sync();
    await spool.write([PACKET]);
    disk.crash(0);
    expect([...disk.sizes('/rec')]).toEqual([[PATH, 2 * PACKET.length]]);
  });
});
