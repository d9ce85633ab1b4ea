/**
 * Part of a file as a connection: what is on disk already goes the way of everything that comes over the network, so
 * that there is one way into a spool and one joiner (P2).
 */
import type { Clock } from '../io/clock.js';
import type { Disk, DiskFile } from '../io/disk.js';
import { TransportFault, type BodySink, type Transport } from '../io/transport.js';

export interface FilePart {
  readonly path: string;
  readonly from: number;
  readonly to: number;
}

const READ_BYTES = 188 * 2_000;

/** Every open gives this part from its beginning. */
export function fileTransport(disk: Disk, clock: Clock, part: FilePart): Transport {
  return {
    open(url) {
      let paused = true;
      let over = false;
      let sink: BodySink | null = null;
      let running = false;
      let at = part.from;
      let file: DiskFile | null = null;

      async function run(): Promise<void> {
        if (running) return;
        running = true;
        try {
          file ??= await disk.open(part.path, 'read');
          while (!paused && !over && at < part.to) {
            const chunk = await file.read(at, Math.min(READ_BYTES, part.to - at));
            if (chunk.length === 0) break;
            at += chunk.length;
            if (!over) sink?.onData(chunk);
          }
          if (!paused && !over) finish((to) => to.onEnd());
        } catch (error) {
          finish((to) => to.onFault(new TransportFault('reset', String(error))));
        } finally {
          running = false;
          if (over) await file?.close().catch(() => undefined);
        }
        if (!paused && !over) void run();
      }

      function finish(tell: (to: BodySink) => void): void {
        if (over) return;
        over = true;
        if (sink) tell(sink);
      }

      return Promise.resolve({
        status: 200,
        headers: {},
        url,
        body: {
          flow(to) {
            sink = to;
            paused = false;
            // Not before the caller has what it called for.
            clock.after(0, () => void run());
          },
          pause: () => void (paused = true),
          resume() {
            paused = false;
            void run();
          },
          destroy() {
            over = true;
            sink = null;
            if (!running) void file?.close().catch(() => undefined);
          },
        },
      });
    },
    close: () => Promise.resolve(),
  };
}
