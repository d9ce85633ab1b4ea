/** Streams whose packets are longer than 188 bytes, over a real socket into a real file. */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { capture } from '../../src/capture/protocols.js';
import type { TsCounts } from '../../src/domain/ledger.js';
import { systemClock } from '../../src/io/clock.js';
import { nodeDisk } from '../../src/io/nodeDisk.js';
import { undiciTransport } from '../../src/io/undiciTransport.js';
import { loopPackets } from '../../src/demo/loopTs.js';
import { loopClip } from '../media/clip.js';
import { breaksOf, decode } from '../media/frames.js';

/** Packets with so many bytes in front of each, and behind it. */
function strided(packets: Buffer, front: number, back: number): Buffer {
  return Buffer.concat(
    Array.from({ length: packets.length / 188 }, (_, n) => [
      Buffer.alloc(front, n & 0xff),
      packets.subarray(n * 188, (n + 1) * 188),
      Buffer.alloc(back, n & 0xff),
    ]).flat(),
  );
}

/** What is in the file of one connection that brought this. */
async function recorded(
  body: Buffer,
): Promise<{ readonly spool: Buffer; readonly ts: TsCounts | undefined }> {
  const folder = mkdtempSync(join(tmpdir(), 'catchupd-stride-'));
  const server = createServer((_request, response) => response.end(body)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const transport = undiciTransport(systemClock);
  try {
    const spoolPath = join(folder, 'show.partial.ts');
    const outcome = await capture(
      {
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/live.m2ts`,
        headers: {},
        spoolPath,
        firstByteTimeoutMs: 5_000,
        stallTimeoutMs: 5_000,
      },
      {
        transport,
        disk: nodeDisk,
        clock: systemClock,
        signal: new AbortController().signal,
        onCheckpoint: () => undefined,
      },
    );
    expect(outcome).toMatchObject({ kind: 'fault', code: 'upstream_ended' });
    return {
      spool: readFileSync(spoolPath),
      ts: 'piece' in outcome ? outcome.piece?.ts : undefined,
    };
  } finally {
    await transport.close();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

it.each([
  ['M2TS', 4, 0],
  ['with parity', 0, 16],
])('%s is recorded as plain packets that decode without an error', async (_, front, back) => {
  const packets = loopPackets(await loopClip(), 0, 3_000);
  const { spool } = await recorded(strided(packets, front, back));
  expect(spool.length % 188).toBe(0);
  expect(spool.length).toBeGreaterThan(packets.length / 2);
  const { frames, errors } = await decode(spool, 'warning');
  expect(errors).toEqual([]);
  expect(frames.length).toBeGreaterThan(20);
  expect(breaksOf(frames, 160)).toEqual([]);
});

it('other packets behind the first, within one connection, are all there', async () => {
  const clip = await loopClip();
  const shapes = [
    [0, 0],
    [0, 16],
    [4, 0],
    [0, 0],
    [4, 0],
    [0, 16],
    [0, 0],
  ] as const;
  const body = shapes.map(([front, back], n) =>
    strided(loopPackets(clip, n * 500, (n + 1) * 500), front, back),
  );
  const plain = await recorded(loopPackets(clip, 0, shapes.length * 500));
  const { spool, ts } = await recorded(Buffer.concat(body));
  expect(spool.equals(plain.spool)).toBe(true);
  expect(ts).toMatchObject({ continuityErrors: 0 });
});
