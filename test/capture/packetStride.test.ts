/** Streams whose packets are longer than 188 bytes, over a real socket into a real file. */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { capture } from '../../src/capture/protocols.js';
import { systemClock } from '../../src/io/clock.js';
import { nodeDisk } from '../../src/io/nodeDisk.js';
import { undiciTransport } from '../../src/io/undiciTransport.js';
import { loopPackets } from '../../src/demo/loopTs.js';
import { loopClip } from '../media/clip.js';
import { decode, isUnbroken } from '../media/frames.js';

it.each([
  ['M2TS', 4, 0],
  ['with parity', 0, 16],
])('%s is recorded as plain packets that decode without an error', async (_, front, back) => {
  const clip = await loopClip();
  const packets = loopPackets(clip, 0, 3_000);
  const body = Buffer.concat(
    Array.from({ length: packets.length / 188 }, (__, n) => [
      Buffer.alloc(front, n & 0xff),
      packets.subarray(n * 188, (n + 1) * 188),
      Buffer.alloc(back, n & 0xff),
    ]).flat(),
  );
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
    const bytes = readFileSync(spoolPath);
    expect(bytes.length % 188).toBe(0);
    expect(bytes.length).toBeGreaterThan(packets.length / 2);
    const { frames, errors } = await decode(bytes, 'warning');
    expect(errors).toEqual([]);
    expect(frames.length).toBeGreaterThan(20);
    expect(isUnbroken(frames, 160)).toBe(true);
  } finally {
    await transport.close();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
