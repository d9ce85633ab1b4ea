/** Whether tables that change are of the same stream. */
import type { ElementaryStream, StreamKind } from './psi.js';
import type { Tables } from './tables.js';

/** Whether sound and pictures are those of before: some may have come or gone, but none is another one now. */
export function goesOn(before: Tables, next: Tables): boolean {
  const was = new Map(before.map.streams.map((stream) => [stream.pid, stream]));
  const isTimed = ({ kind }: ElementaryStream) => kind !== 'other';
  const is = new Map(next.map.streams.filter(isTimed).map((stream) => [stream.pid, stream]));
  const isNew = (kind: StreamKind) => [...is.values()].some((one) => one.kind === kind && !was.has(one.pid));
  return [...was.values()].filter(isTimed).every((stream) => {
    const now = is.get(stream.pid);
    return now ? now.type === stream.type : !isNew(stream.kind);
  });
}
