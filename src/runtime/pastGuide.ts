/**
 * What was on and what was decided about it, kept after guide and plan have left it behind, so that `why` still answers
 * for last night (P10). A file a day below `.catchupd/guide/past`, read only when somebody asks. Nothing hangs on it:
 * what cannot be written is left out, what cannot be read is passed over.
 */

import { join } from 'node:path';
import type { Capsule } from '../domain/capsule.js';
import type { Decision } from '../domain/plan.js';
import { isRecord } from '../publish/answer.js';
import { diskCode, type Disk } from '../io/disk.js';
import type { Doors } from './doors.js';
import { dayOf } from './pastLines.js';
import type { PastLines } from './planFacts.js';

export interface PastGuide {
  /** What of a plan is over. */
  keep(over: readonly PastLines[]): void;
  /** Days before the oldest of these starts are forgotten. */
  forget(starts: Iterable<number>, at: number): Promise<void>;
  settled(): Promise<void>;
}

const DAY_MS = 86_400_000;
const DAYS_MIN = 3;
const DAYS_MAX = 30;
const BLOCK_BYTES = 256 * 1024;
/** More than any list that somebody narrowed has in a day. */
const DAY_BYTES_MAX = 32 * 2 ** 20;
const FOUND_MAX = 500;

export function createPastGuide(
  privateFolder: string,
  { disk, log }: Pick<Doors, 'disk' | 'log'>,
): PastGuide {
  const folder = pastFolder(privateFolder);
  let writes: Promise<void> = Promise.resolve();
  let failed = false;

  async function append(day: string, text: string): Promise<void> {
    try {
      await disk.mkdir(folder, 0o700);
      const file = await disk.open(join(folder, `${day}.ndjson`), 'append', 0o600);
      try {
        if ((await file.bytes()) < DAY_BYTES_MAX) await file.write([Buffer.from(text)]);
      } finally {
        await file.close();
      }
    } catch (error) {
      if (!failed)
        log.warn({ path: folder, code: diskCode(error) }, 'the past of the guide could not be kept');
      failed = true;
    }
  }

  return {
    keep(over) {
      for (const { day, text } of over) writes = writes.then(() => append(day, text));
    },
    async forget(starts, at) {
      const oldest = [...starts].reduce((first, start) => Math.min(first, start), at - DAYS_MIN * DAY_MS);
      const from = dayOf(Math.max(oldest, at - DAYS_MAX * DAY_MS));
      const names = await disk.readdir(folder).catch(() => []);
      for (const name of names)
        if (/^\d{4}-\d\d-\d\d\.ndjson$/.test(name) && name.slice(0, 10) < from)
          await disk.unlink(join(folder, name)).catch(() => undefined);
    },
    settled: () => writes,
  };
}

/** Decisions of the past whose line holds that text, the latest first. Never rejects. */
export async function pastDecisions(
  disk: Disk,
  privateFolder: string,
  text: string,
): Promise<readonly Decision[]> {
  const folder = pastFolder(privateFolder);
  const word = JSON.stringify(text.trim().toLowerCase()).slice(1, -1);
  const found = new Map<string, Decision>();
  const names = await disk.readdir(folder).catch(() => []);
  for (const name of names
    .filter((each) => each.endsWith('.ndjson'))
    .toSorted()
    .toReversed()) {
    await eachLine(disk, join(folder, name), (line) => {
      const decision = line.toLowerCase().includes(word) ? decisionOf(line) : null;
      if (decision) found.set(decision.capsule.recordKey, decision);
    }).catch(() => undefined);
    if (found.size > FOUND_MAX) break;
  }
  return [...found.values()].toSorted((a, b) => b.capsule.startAt - a.capsule.startAt).slice(0, FOUND_MAX);
}

/** By blocks, so that captures go on meanwhile. */
async function eachLine(disk: Disk, path: string, tell: (line: string) => void): Promise<void> {
  const file = await disk.open(path, 'read');
  try {
    let rest = Buffer.alloc(0);
    for (let offset = 0; ; offset += BLOCK_BYTES) {
      const block = await file.read(offset, BLOCK_BYTES);
      const whole = Buffer.concat([rest, block]);
      const end = whole.lastIndexOf(0x0a) + 1;
      for (const line of whole.toString('utf8', 0, end).split('\n')) if (line !== '') tell(line);
      rest = whole.subarray(end);
      if (block.length < BLOCK_BYTES) return;
    }
  } finally {
    await file.close();
  }
}

function decisionOf(line: string): Decision | null {
  try {
    const value: unknown = JSON.parse(line);
    const capsule = isRecord(value) ? value['capsule'] : null;
    if (!isRecord(capsule) || typeof capsule['recordKey'] !== 'string') return null;
    return {
      ...(Object(value) as Decision),
      capsule: { ...(capsule as unknown as Capsule), upstreams: [], desc: '' },
    };
  } catch {
    return null;
  }
}

function pastFolder(privateFolder: string): string {
  return join(privateFolder, 'guide', 'past');
}
