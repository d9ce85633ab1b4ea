/** The protocols there are, in the order they are asked. A new one is a file, an entry here and a row in docs. */
import type { CaptureOutcome } from '../domain/capture.js';
import { captureMpegTs } from './mpegts.js';
import type { CaptureDoors, CaptureInput, CaptureProtocol } from './protocol.js';

const MPEG_TS: CaptureProtocol = {
  name: 'mpegts',
  // Plain HTTP streams have every kind of address; what answers is looked at before it is believed.
  claims: () => true,
  capture: captureMpegTs,
};

export const CAPTURE_PROTOCOLS: readonly CaptureProtocol[] = [MPEG_TS];

/** Captures one upstream into one spool until told to stop, or until the upstream or the disk fails. */
export function capture(input: CaptureInput, doors: CaptureDoors): Promise<CaptureOutcome> {
  const protocol = CAPTURE_PROTOCOLS.find((candidate) => candidate.claims(input.url)) ?? MPEG_TS;
  return protocol.capture(input, doors);
}
