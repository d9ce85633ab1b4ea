/**
 * What a recording is made of: the first byte that was written fixes whether its file is a transport stream or fragmented
 * MP4, and from then on only upstreams of that kind go on with it. What is on disk decides, so that no crash can make two.
 */
import { diskCode, type Disk } from '../io/disk.js';
import type { Container } from './hlsFrames.js';
import { OTHER_CONTAINER, type Refusal } from './refusal.js';

const SUFFIX = /\.partial\.(?:ts|mp4)$/;

/** The spool of a recording as it is called when it is made of this. */
export function spoolName(spoolPath: string, container: Container): string {
  return spoolPath.replace(SUFFIX, `.partial.${container}`);
}

/** Where media of this kind goes, or why it cannot. */
export async function spoolOf(
  disk: Disk,
  spoolPath: string,
  container: Container,
): Promise<string | Refusal> {
  const other = spoolName(spoolPath, container === 'ts' ? 'mp4' : 'ts');
  const own = spoolName(spoolPath, container);
  if (other === own) return own;
  return (await hasBytes(disk, other)) ? OTHER_CONTAINER : own;
}

async function hasBytes(disk: Disk, path: string): Promise<boolean> {
  try {
    return (await disk.stat(path)).bytes > 0;
  } catch (error) {
    if (diskCode(error) === 'UNKNOWN') throw error;
    return false;
  }
}
