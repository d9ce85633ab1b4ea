/** The protocols there are, in the order they are asked. A new one is a file, an entry here and a row in docs. */
import type { CaptureOutcome } from '../domain/capture.js';
import { captureHls } from './hls.js';
import { captureMpegTs } from './mpegts.js';
import type { CaptureDoors, CaptureInput, CaptureProtocol } from './protocol.js';
import { isTransportStream } from './packetStride.js';
import { openUpstream } from './upstream.js';

const HLS: CaptureProtocol = {
  name: 'hls',
  claims: ({ isSession }) => isSession,
  capture: captureHls,
};

const MPEG_TS: CaptureProtocol = {
  name: 'mpegts',
  claims: ({ first }) => isTransportStream(first),
  capture: captureMpegTs,
};

export const CAPTURE_PROTOCOLS: readonly CaptureProtocol[] = [HLS, MPEG_TS];

/**
 * Captures one upstream into one spool until told to stop, or until the upstream or the disk fails. What it is recorded
 * as is decided by what answers.
 */
export async function capture(input: CaptureInput, doors: CaptureDoors): Promise<CaptureOutcome> {
  const { clock, signal, transport } = doors;
  const opened = await openUpstream(input, transport, clock, signal, (start) =>
    CAPTURE_PROTOCOLS.some((protocol) => protocol.claims(start)),
  );
  switch (opened.kind) {
    case 'aborted':
      return { kind: 'stopped', at: clock.now(), piece: null };
    case 'refused':
      return { kind: 'fault', at: clock.now(), piece: null, ...opened.refusal };
    case 'live': {
      const { body, start } = opened;
      const protocol = CAPTURE_PROTOCOLS.find((each) => each.claims(start)) ?? MPEG_TS;
      return protocol.capture(body, input, doors);
    }
  }
}
