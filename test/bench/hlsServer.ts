/**
 * An HLS origin in a process of its own. Every channel shows the broadcast from its start, cut into segments, from when its
 * playlist was first asked for; by their numbers channels are out of step with each other, as real ones are.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PACKET_BYTES } from '../../src/capture/tsPackets.js';
import { broadcast } from './broadcast.js';

const [rate = '9000000', segmentText = '2', secondsText = '20', channelsText = '40'] = process.argv.slice(2);
const segmentS = Number(segmentText);
const stream = broadcast(Number(rate), Number(secondsText));
const count = Number(secondsText) / segmentS;
const segmentBytes = Math.floor(stream.length / count / PACKET_BYTES) * PACKET_BYTES;
const WINDOW = 3;
const born = new Map<string, number>();

function edge(channel: string): number {
  const bornAt = born.get(channel) ?? performance.now() - segmentMs(channel);
  born.set(channel, bornAt);
  return Math.floor((performance.now() - bornAt) / 1_000 / segmentS) + WINDOW;
}

function segmentMs(channel: string): number {
  const number = Number(/\d+$/.exec(channel)?.[0] ?? 0);
  return ((number % Number(channelsText)) / Number(channelsText)) * segmentS * 1_000;
}

const server = createServer((request, response) => {
  const [, channel = '', name = ''] = (request.url ?? '').split('/');
  const number = /^seg-(\d+)/.exec(name)?.[1];
  if (number !== undefined) {
    const at = Number(number) * segmentBytes;
    if (at + segmentBytes > stream.length) response.writeHead(404).end();
    else response.end(stream.subarray(at, at + segmentBytes));
    return;
  }
  const last = edge(channel);
  const lines = Array.from(
    { length: WINDOW },
    (_, n) => `#EXTINF:${segmentS},\nseg-${last - WINDOW + n}.ts\n`,
  );
  response.end(
    `#EXTM3U\n#EXT-X-TARGETDURATION:${segmentS}\n#EXT-X-MEDIA-SEQUENCE:${last - WINDOW}\n${lines.join('')}`,
  );
});
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('disconnect', () => process.exit());
