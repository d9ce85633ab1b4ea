/**
 * Fetches a body that has an end (a replay, an archive) into a file, over as many connections as it takes. What a
 * connection brought is kept (P1): the next asks for the rest by Range, a little before the end of what is there, and
 * goes on only where the bytes agree, for archives have been seen to fake it (PROTOCOLS §4.3). An answer that begins
 * anew goes into a file of its own, and the longer of the two stays.
 */
import type { Clock } from '../io/clock.js';
import { diskCode, type DiskFile } from '../io/disk.js';
import { TransportFault, type TransportResponse } from '../io/transport.js';
import { progressOf, PROGRESS, readTag, validatorOf, writeTag, type ArchiveProgress } from './finiteTag.js';
import { sizeOf, type FiniteDoors, type FiniteInput, type FiniteOutcome } from './finite.js';
import { fetchSession } from './hlsArchive.js';
import { refusalOfBody, refusalOfFault, refusalOfStatus, STALLED, type Refusal } from './refusal.js';
import { troubleOf } from './spool.js';
import { isTransportStream } from './packetStride.js';

/** So much of what is there must come again, to the byte. */
const AGREED_BYTES = 64 * 1024;
const LOOK_BYTES = 2_048;
const PENDING_BYTES_MAX = 8 * 2 ** 20;
const REFUSAL_BYTES = 256;

export async function fetchFinite(input: FiniteInput, doors: FiniteDoors): Promise<FiniteOutcome> {
  try {
    const have = await sizeOf(doors.disk, input.path);
    const kept = have > 0 ? await readTag(doors.disk, input.path) : '';
    const progress = progressOf(kept, have);
    const from = input.mayResume && !kept.startsWith(PROGRESS) ? Math.max(0, have - AGREED_BYTES) : 0;
    const response = await ask(input, doors, from, from > 0 ? kept : '', progress);
    if (response.isSession) return await fetchSession(response.body, { ...input, have, progress }, doors);
    if (response.status === 200) await writeTag(doors.disk, input.path, validatorOf(response));
    if (response.status === 206 && from > 0) return await goOn(input, doors, response, from, have);
    if (response.status === 416 && from > 0) {
      response.body.destroy();
      return { kind: 'whole', bytes: have };
    }
    if (response.status < 200 || response.status > 299) return await refusedBy(response, doors.clock);
    return have === 0
      ? await pour(response, doors, input, { path: input.path, expected: null })
      : await beginAnew(input, doors, response, have);
  } catch (error) {
    if (error instanceof TransportFault)
      return doors.signal.aborted ? { kind: 'aborted' } : { kind: 'refused', refusal: refusalOfFault(error) };
    if (diskCode(error) === 'UNKNOWN') throw error;
    return { kind: 'disk', code: troubleOf(error).code };
  }
}

/** `tag` names the version that is there: of another one the server then sends all, not a part. */
function ask(
  input: FiniteInput,
  doors: FiniteDoors,
  from: number,
  tag: string,
  progress: ArchiveProgress | null,
): Promise<TransportResponse> {
  const { hls } = input;
  // Of what is there the place counts, not the time: to a playlist that is over every time is long ago.
  const cursor = progress && { ...progress.cursor, endAt: 0 };
  return doors.transport.open(input.url, {
    headers: {
      ...input.headers,
      ...(from > 0 && { range: `bytes=${from}-` }),
      ...(from > 0 && tag !== '' && { 'if-range': tag }),
    },
    signal: doors.signal,
    headersTimeoutMs: input.firstByteTimeoutMs,
    ...(hls && { wish: { from: 0, cursor, quality: hls.quality, oneAtATime: true } }),
  });
}

/** The rest, where it really is the rest. */
async function goOn(
  input: FiniteInput,
  doors: FiniteDoors,
  response: TransportResponse,
  from: number,
  have: number,
): Promise<FiniteOutcome> {
  const begins = /^bytes (\d+)-/.exec(response.headers['content-range'] ?? '')?.[1];
  if (Number(begins) !== from) {
    response.body.destroy();
    return fetchFinite({ ...input, mayResume: false }, doors);
  }
  const file = await doors.disk.open(input.path, 'read');
  let expected: Buffer;
  try {
    expected = await file.read(from, have - from);
  } finally {
    await file.close();
  }
  const outcome = await pour(response, doors, input, { path: input.path, expected });
  return outcome === 'disagrees' ? fetchFinite({ ...input, mayResume: false }, doors) : outcome;
}

/** Never truncates: the new one takes the place of the old one when it has become longer, or whole. */
async function beginAnew(
  input: FiniteInput,
  doors: FiniteDoors,
  response: TransportResponse,
  have: number,
): Promise<FiniteOutcome> {
  const path = `${input.path}.again`;
  await doors.disk.unlink(path).catch(() => undefined);
  const outcome = await pour(response, doors, input, { path, expected: null });
  const bytes = await sizeOf(doors.disk, path);
  if (outcome.kind === 'whole' || bytes > have) await doors.disk.rename(path, input.path);
  else await doors.disk.unlink(path).catch(() => undefined);
  return outcome.kind === 'cut' ? { ...outcome, bytes: Math.max(bytes, have) } : outcome;
}

interface Into {
  readonly path: string;
  /** What must come first, and is in the file already. */
  readonly expected: Buffer | null;
}

function pour(
  response: TransportResponse,
  doors: FiniteDoors,
  input: FiniteInput,
  into: Into & { readonly expected: null },
): Promise<FiniteOutcome>;
function pour(
  response: TransportResponse,
  doors: FiniteDoors,
  input: FiniteInput,
  into: Into,
): Promise<FiniteOutcome | 'disagrees'>;
async function pour(
  response: TransportResponse,
  { disk, clock, signal }: FiniteDoors,
  { stallTimeoutMs }: FiniteInput,
  { path, expected }: Into,
): Promise<FiniteOutcome | 'disagrees'> {
  const { body } = response;
  const length = Number(response.headers['content-length'] ?? Number.NaN);
  let came = 0;
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let ended = null as 'end' | 'stall' | TransportFault | null;
  let wake: () => void = () => undefined;
  const stall = { timer: clock.after(stallTimeoutMs, onStall), touched: clock.mono(), paused: false };
  function onStall(): void {
    const leftMs = stallTimeoutMs - (clock.mono() - stall.touched);
    if (leftMs > 0 || stall.paused) stall.timer = clock.after(Math.max(leftMs, 100), onStall);
    else finish('stall');
  }
  function finish(how: 'end' | 'stall' | TransportFault): void {
    ended ??= how;
    wake();
  }
  // The connection may be one that others could share: it does not end with us.
  const onAbort = () => finish(new TransportFault('aborted', 'aborted'));
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  body.flow({
    onData(chunk) {
      stall.touched = clock.mono();
      came += chunk.length;
      pending.push(chunk);
      pendingBytes += chunk.length;
      if (pendingBytes > PENDING_BYTES_MAX && !stall.paused) {
        stall.paused = true;
        body.pause();
      }
      wake();
    },
    onEnd: () => finish('end'),
    onFault: finish,
  });

  let file: DiskFile | null = null;
  let agreed = 0;
  try {
    for (;;) {
      const bytes = Buffer.concat(pending);
      const look = expected === null ? LOOK_BYTES : 1;
      if (bytes.length === 0 || (file === null && bytes.length < look && ended === null)) {
        if (ended !== null && bytes.length === 0) break;
        await new Promise<void>((resolve) => (wake = resolve));
        wake = () => undefined;
        continue;
      }
      pending = [];
      pendingBytes = 0;
      const rest =
        expected === null ? bytes : bytes.subarray(Math.min(bytes.length, expected.length - agreed));
      if (expected !== null && agreed < expected.length) {
        const part = bytes.subarray(0, bytes.length - rest.length);
        if (!part.equals(expected.subarray(agreed, agreed + part.length))) return 'disagrees';
        agreed += part.length;
      } else if (file === null && !isTransportStream(bytes)) {
        return { kind: 'refused', refusal: refusalOfBody(bytes, ended === 'end') };
      }
      file ??= await disk.open(path, 'append');
      if (rest.length > 0) await file.write([rest]);
      if (stall.paused) {
        stall.paused = false;
        stall.touched = clock.mono();
        body.resume();
      }
    }
    await file?.datasync();
  } finally {
    stall.timer.cancel();
    signal.removeEventListener('abort', onAbort);
    body.destroy();
    await file?.close();
  }
  const bytes = await sizeOf(disk, path);
  const short = !Number.isNaN(length) && came < length;
  if (ended === 'end' && !short && bytes > 0) return { kind: 'whole', bytes };
  const refusal =
    ended instanceof TransportFault ? refusalOfFault(ended) : ended === 'stall' ? STALLED : shortBody();
  if (ended instanceof TransportFault && ended.kind === 'aborted') return { kind: 'aborted' };
  return bytes === 0 ? { kind: 'refused', refusal } : { kind: 'cut', bytes, refusal };
}

function shortBody(): Refusal {
  return refusalOfFault(new TransportFault('reset', 'the body ended early'));
}

async function refusedBy(response: TransportResponse, clock: Clock): Promise<FiniteOutcome> {
  const { status, headers } = response;
  const body = await new Promise<Buffer>((resolve) => {
    const chunks: Buffer[] = [];
    const timer = clock.after(2_000, () => done());
    const done = () => {
      timer.cancel();
      response.body.destroy();
      resolve(Buffer.concat(chunks).subarray(0, REFUSAL_BYTES));
    };
    response.body.flow({
      onData(chunk) {
        chunks.push(chunk);
        if (chunks.reduce((sum, { length }) => sum + length, 0) >= REFUSAL_BYTES) done();
      },
      onEnd: done,
      onFault: done,
    });
  });
  return { kind: 'refused', refusal: refusalOfStatus({ status, headers, body }, clock.now()) };
}
