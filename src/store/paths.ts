/** Where the parts of the state lie (CONTRACT §2). */
import { basename, dirname, join } from 'node:path';

export interface StatePaths {
  readonly base: string;
  readonly journal: string;
  readonly basePrev: string;
  readonly journalPrev: string;
  /** The folder that holds the four. */
  readonly folder: string;
  readonly quarantine: string;
  readonly reserve: string;
}

/** `privateFolder` is `<out-dir>/.catchupd`; by default the one beside the state. */
export function statePaths(base: string, privateFolder = join(dirname(base), '.catchupd')): StatePaths {
  const journal = `${base.replace(/\.json$/, '')}.journal.ndjson`;
  return {
    base,
    journal,
    basePrev: `${base}.prev`,
    journalPrev: `${journal}.prev`,
    folder: dirname(base),
    quarantine: join(privateFolder, 'quarantine'),
    reserve: join(privateFolder, 'reserve'),
  };
}

/** A name in the quarantine that sorts by time and tells what it was. */
export function quarantineName(at: number, path: string, number: number): string {
  return `${new Date(at).toISOString().replaceAll(':', '-')}-${number}-${basename(path)}`;
}
