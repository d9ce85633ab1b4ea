/** How many files this process may have open. Node has raised it as far as it may by itself. */
import { readFile } from 'node:fs/promises';

/** Infinity where there is no limit, or nobody says (only Linux does). */
export async function openFilesMax(path = '/proc/self/limits'): Promise<number> {
  const text = await readFile(path, 'latin1').catch(() => '');
  const [, soft] = /^Max open files\s+(\d+)/m.exec(text) ?? [];
  return soft === undefined ? Infinity : Number(soft);
}
