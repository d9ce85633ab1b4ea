/**
 * What is written down when something that should not throw did: the error, the event that did it and what was good
 * last, a file each in `.catchupd/crashes`, the newest kept. For whoever repairs it; nothing here reads them.
 */

import { join } from 'node:path';
import type { Disk } from '../io/disk.js';
import { replaceFile } from '../io/replaceFile.js';

export interface CrashReport {
  /** Of the actor: a recording's id, `guide/…`, or `scheduler`. */
  readonly id: string;
  readonly at: number;
  readonly error: string;
  readonly stack: string;
  readonly event: unknown;
  readonly lastGood: unknown;
}

const KEPT_MAX = 50;

/** Rejects with the disk's error. */
export async function writeCrashReport(
  disk: Disk,
  privateFolder: string,
  report: CrashReport,
): Promise<string> {
  const folder = join(privateFolder, 'crashes');
  await disk.mkdir(folder, 0o700);
  const stamp = new Date(report.at).toISOString().replace(/[:.]/g, '-');
  const path = join(folder, `${stamp}-${report.id.replace(/[^\w-]+/g, '-')}.json`);
  await replaceFile(disk, path, Buffer.from(`${JSON.stringify(report, null, 1)}\n`), { mode: 0o600 });
  const names = (await disk.readdir(folder)).filter((name) => name.endsWith('.json')).toSorted();
  for (const name of names.slice(0, -KEPT_MAX)) await disk.unlink(join(folder, name));
  return path;
}
