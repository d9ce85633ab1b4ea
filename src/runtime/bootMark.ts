/**
 * What time it was when the machine had been up for so long: `.catchupd/clock`. Until it is booted again its uptime tells
 * the next start what time it is, whatever the wall shows by then.
 */
import { z } from 'zod';

import type { Clock } from '../io/clock.js';
import { diskCode, type Disk } from '../io/disk.js';
import { replaceFile } from '../io/replaceFile.js';
import type { Log } from '../log.js';

/** A wall that is set right by less is no news. */
const MOVED_MS = 10_000;

const markSchema = z.object({ boot: z.string(), at: z.number(), upMs: z.number() });
type Mark = z.infer<typeof markSchema>;

export interface BootMark {
  /** What time it is by the uptime; null where nobody knows: another boot, another machine, no mark. */
  readonly toldAt: number | null;
  /** This is the time, without a doubt. Written where that is news; never rejects. */
  note(at: number): Promise<void>;
}

export interface BootMarkDoors {
  readonly disk: Disk;
  readonly clock: Pick<Clock, 'uptimeMs'>;
  readonly log: Log;
}

/** `bootId` is one of `ProcessFacts`: its first word is of the machine, which a container shares. Never rejects. */
export async function readBootMark(
  { disk, clock, log }: BootMarkDoors,
  path: string,
  bootId: string,
): Promise<BootMark> {
  const [boot = ''] = bootId.split(' ');
  const upMs = () => (boot === '' ? null : (clock.uptimeMs?.() ?? null));
  let mark = await read(disk, path);
  /** How the time lies to the uptime, as it is written. */
  const differs = (at: number, up: number) =>
    mark?.boot !== boot || Math.abs(at - up - (mark.at - mark.upMs)) > MOVED_MS;
  const up = upMs();
  return {
    toldAt: up === null || mark?.boot !== boot ? null : Math.round(mark.at + up - mark.upMs),
    async note(at) {
      const now = upMs();
      if (now === null || !differs(at, now)) return;
      const before = mark;
      mark = { boot, at, upMs: now };
      try {
        await replaceFile(disk, path, `${JSON.stringify(mark)}\n`, { sync: false });
      } catch (error) {
        mark = before;
        log.debug({ path, code: diskCode(error) }, 'the time of this boot could not be written');
      }
    },
  };
}

async function read(disk: Disk, path: string): Promise<Mark | null> {
  try {
    return markSchema.parse(JSON.parse((await disk.readFile(path)).toString('utf8')));
  } catch {
    return null;
  }
}
