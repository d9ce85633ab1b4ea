/** Transport stream segments as one body, which is recorded as any other. */
import type { Run, RunTerms } from './hls.js';
import { openTsSpool, recordPiece } from './mpegts.js';
import type { CaptureDoors, CaptureInput } from './protocol.js';
import type { Refusal } from './refusal.js';
import type { LiveBody, LiveSink } from './upstream.js';

/** Whether a session stands still is for the session to say. */
const NEVER_MS = Number.MAX_SAFE_INTEGER;

/** Rejects only for a bug. */
export async function tsRun(
  input: CaptureInput,
  { gapMs, isNew }: RunTerms,
  doors: CaptureDoors,
): Promise<Run | Refusal> {
  const ready = await openTsSpool(input, doors.disk, doors.clock);
  if ('cause' in ready) return ready;
  const pipe = pipeBody();
  const known = { ...ready, silentMs: gapMs, isNew, isGapless: true, ...(gapMs !== null && { gapMs }) };
  const terms = { stallTimeoutMs: NEVER_MS, hasOthers: input.hasOthers ?? false };
  return {
    over: recordPiece(pipe.body, known, terms, doors),
    async feed(payload, initBytes) {
      let skip = initBytes;
      for (const chunk of payload) {
        await pipe.ready();
        const part = chunk.subarray(Math.min(skip, chunk.length));
        skip -= chunk.length - part.length;
        if (part.length > 0) pipe.give(part);
      }
      pipe.whole();
    },
    end: () => pipe.end(),
  };
}

function pipeBody() {
  let sink: LiveSink | null = null;
  let paused = false;
  let waiting: (() => void) | null = null;
  const release = () => {
    const go = waiting;
    waiting = null;
    go?.();
  };
  const body: LiveBody = {
    first: Buffer.alloc(0),
    flow(to) {
      sink = to;
    },
    pause() {
      paused = true;
    },
    resume() {
      paused = false;
      release();
    },
    destroy() {
      sink = null;
      release();
    },
  };
  return {
    body,
    ready: () => (paused && sink ? new Promise<void>((resolve) => (waiting = resolve)) : Promise.resolve()),
    give: (chunk: Buffer) => sink?.onData(chunk),
    whole: () => sink?.onWhole?.(),
    end: () => sink?.onEnd(),
  };
}
