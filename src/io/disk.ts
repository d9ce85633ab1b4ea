/**
 * The door to files. Every call rejects with a Node-style error that has `code` (ENOENT, EEXIST, EXDEV, ENOSPC, EIO,
 * EACCES, EROFS, ENOTEMPTY, …), in the real form and in the simulated one alike; nothing else is thrown.
 * Paths are absolute.
 */

export interface DiskStat {
  readonly kind: 'file' | 'folder' | 'other';
  readonly bytes: number;
  readonly mtimeMs: number;
  readonly inode: number;
  readonly mode: number;
  readonly links: number;
}

export interface DiskFile {
  /** Appends or overwrites at the file's own position; writes all of it or rejects. */
  write(chunks: readonly Uint8Array[]): Promise<void>;
  /** Up to `length` bytes from `offset`, in `into` where that is given; shorter only at the end of the file. */
  read(offset: number, length: number, into?: Buffer): Promise<Buffer>;
  truncate(bytes: number): Promise<void>;
  /** `first`: behind nobody else's, however many wait; for the one file on which all recordings depend. */
  datasync(first?: boolean): Promise<void>;
  bytes(): Promise<number>;
  close(): Promise<void>;
}

/** `read`: existing file. `append`: created when missing, every write at its end. `create`: fails with EEXIST. */
export type OpenMode = 'read' | 'append' | 'create';

export interface Disk {
  /** With parents; fine if it is there. */
  mkdir(path: string, mode?: number): Promise<void>;
  open(path: string, how: OpenMode, mode?: number): Promise<DiskFile>;
  readFile(path: string): Promise<Buffer>;
  /** Hard link; fails with EEXIST where `to` exists. */
  link(from: string, to: string): Promise<void>;
  /** Replaces `to` where it exists. */
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Only an empty folder. */
  rmdir(path: string): Promise<void>;
  readdir(path: string): Promise<string[]>;
  /** Follows links; rejects with ENOENT where nothing is there. */
  stat(path: string): Promise<DiskStat>;
  chmod(path: string, mode: number): Promise<void>;
  /** Makes renames, links and unlinks inside the folder durable. */
  syncFolder(path: string): Promise<void>;
  /** Bytes free to this user, and the size of the file system that holds `path`. */
  space(path: string): Promise<{ freeBytes: number; totalBytes: number }>;
}

/** The `code` of a rejected disk call, or 'UNKNOWN'. */
export function diskCode(error: unknown): string {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code ?? 'UNKNOWN';
}

/** What a rejected disk call means to a person: a code of the error table. */
export function diskProblem(error: unknown): 'disk_full' | 'folder_unwritable' | 'disk_error' {
  switch (diskCode(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return 'disk_full';
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return 'folder_unwritable';
    default:
      return 'disk_error';
  }
}

export async function exists(disk: Disk, path: string): Promise<boolean> {
  try {
    await disk.stat(path);
    return true;
  } catch (error) {
    if (diskCode(error) === 'ENOENT' || diskCode(error) === 'ENOTDIR') return false;
    throw error;
  }
}
