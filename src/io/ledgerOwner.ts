/** Whose a ledger is: the one question that is asked before files are written to or deleted (P5). */
import { diskCode, type Disk } from './disk.js';

/**
 * The recording id in a ledger; '' for one that cannot be understood, null where there is none. Rejects with other disk
 * errors.
 */
export async function ledgerOwner(disk: Disk, path: string): Promise<string | null> {
  let text: string;
  try {
    text = (await disk.readFile(path)).toString('utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(diskCode(error))) return null;
    if (diskCode(error) === 'EISDIR') return '';
    throw error;
  }
  try {
    const ledger: unknown = JSON.parse(text);
    const known = typeof ledger === 'object' && ledger !== null && 'recording_id' in ledger;
    return known && typeof ledger.recording_id === 'string' ? ledger.recording_id : '';
  } catch {
    return '';
  }
}
