/** A provider in a process of its own: everyone who connects gets the broadcast from its start, at its rate, in pieces. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { broadcast } from './broadcast.js';

const [rate = '9000000', pieceText = '12000', seconds = '10'] = process.argv.slice(2);
const pieceBytes = Number(pieceText);
const stream = broadcast(Number(rate), Number(seconds));
const pieceMs = (pieceBytes * 8_000) / Number(rate);

interface Viewer {
  readonly response: ServerResponse;
  dueAt: number;
  at: number;
}
const viewers = new Set<Viewer>();

const server = createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'video/mp2t' });
  const viewer: Viewer = { response, dueAt: performance.now(), at: 0 };
  viewers.add(viewer);
  response.on('close', () => viewers.delete(viewer));
});
server.on('connection', (socket) => socket.setNoDelay(true));

setInterval(() => {
  const now = performance.now();
  for (const viewer of viewers) {
    for (; viewer.dueAt <= now; viewer.dueAt += pieceMs) {
      viewer.response.write(stream.subarray(viewer.at, viewer.at + pieceBytes));
      viewer.at = (viewer.at + pieceBytes) % stream.length;
    }
  }
}, 4);

server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('disconnect', () => process.exit());
