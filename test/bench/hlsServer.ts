/** An HLS origin in a process of its own: everyone gets the same live window of the broadcast, cut into segments. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PACKET_BYTES } from '../../src/capture/tsPackets.js';
import { broadcast } from './broadcast.js';

const [rate = '9000000', segmentText = '2', secondsText = '20'] = process.argv.slice(2);
const segmentS = Number(segmentText);
const stream = broadcast(Number(rate), Number(secondsText));
const segmentBytes =
  Math.floor(stream.length / (Number(secondsText) / segmentS) / PACKET_BYTES) * PACKET_BYTES;
const WINDOW = 3;
const bornAt = performance.now();

const server = createServer((request, response) => {
  const number = /seg-(\d+)/.exec(request.url ?? '')?.[1];
  if (number !== undefined) {
    const at = (Number(number) * segmentBytes) % (stream.length - segmentBytes);
    response.end(stream.subarray(at, at + segmentBytes));
    return;
  }
  const last = Math.floor((performance.now() - bornAt) / 1_000 / segmentS) + WINDOW;
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
