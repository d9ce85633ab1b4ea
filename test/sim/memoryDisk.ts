/**
 * The disk door without a disk: inodes, hard links, modes, mounts, limited space, in memory and on microtasks alone, so
 * that a simulation is repeatable. It also knows what a power cut would leave: `crash()` drops what was not synced
 * (file data by `datasync`, names by `syncFolder`), and any operation can be made to fail, or to take its time: then what
 * it does is done at its end, others go on meanwhile, and a power cut may come in between.
 */
import { basename, dirname } from 'node:path';

import type { Disk, DiskFile, DiskStat, OpenMode } from '../../src/io/disk.js';

export interface MountOptions {
  /** Size of the file system; what does not fit is ENOSPC. Default: 1 TiB. */
  readonly bytes?: number;
  /** Longest file name in bytes; default 255. */
  readonly nameMax?: number;
  /** False: `link` gives EPERM, as exFAT and some shares do. */
  readonly hardLinks?: boolean;
}

export type DiskOperation =
  | 'mkdir'
  | 'open'
  | 'create'
  | 'readFile'
  | 'link'
  | 'rename'
  | 'unlink'
  | 'rmdir'
  | 'readdir'
  | 'stat'
  | 'chmod'
  | 'syncFolder'
  | 'space'
  | 'write'
  | 'read'
  | 'truncate'
  | 'datasync';

export interface MemoryDisk extends Disk {
  /** Puts another file system at `path` (made if missing), or puts one that was taken away back. */
  mount(path: string, options?: MountOptions): void;
  /** The mount goes away: below `path` is the bare folder it covered. */
  unmount(path: string): void;
  resize(path: string, bytes: number): void;
  /** Asked before each operation; a code it returns is what the operation fails with. It may throw to cut a run off. */
  fault: (operation: DiskOperation, path: string) => string | null;
  /** Asked as each operation that changes something begins; settles when it may end. Null: it ends at once. */
  latency: (operation: DiskOperation, path: string) => Promise<void> | null;
  /**
   * A power cut: names and bytes that were not synced are gone; open files are dead. With `keep`, a share of the
   * unsynced survives, in order (0 nothing, 1 all); a function gives each file system and file its own. `torn` is the
   * share of each write under way that was taken in before; all that `keep` says unless given.
   */
  crash(keep?: number | (() => number), torn?: () => number): void;
  /** How much of a file no power cut could take any more; null where its name, or that of a folder, could go. */
  durableBytes(path: string): number | null;
  /** Files that were opened and not closed. */
  openFiles(): number;
  openNames(): readonly string[];
  /** Every file below `path`, as path → size. */
  sizes(path?: string): Map<string, number>;
  /** Every file below `path`, as path → a copy of its bytes. */
  files(path?: string): Map<string, Buffer>;
  /** The bytes of one file as they are now, not to be kept or changed; null where there is none. */
  glance(path: string): Buffer | null;
  /** Changes one byte of a file where it lies, as bit rot does. */
  corrupt(path: string, offset: number, value: number): void;
}

interface FileNode {
  readonly kind: 'file';
  readonly inode: number;
  readonly system: FileSystem;
  mode: number;
  links: number;
  mtimeMs: number;
  data: Buffer;
  bytes: number;
  /** What a power cut leaves. Shares the bytes of `data` while it is a beginning of it. */
  durable: { data: Buffer | null; bytes: number };
}

interface FolderNode {
  readonly kind: 'folder';
  readonly inode: number;
  readonly system: FileSystem;
  mode: number;
  mtimeMs: number;
  entries: Map<string, Node>;
  durable: Map<string, Node>;
}

type Node = FileNode | FolderNode;

interface FileSystem {
  readonly root: FolderNode;
  bytesMax: number;
  used: number;
  readonly nameMax: number;
  readonly hardLinks: boolean;
  /** Name changes not yet synced, oldest first; a rename is one of two changes. */
  pending: NameChange[][];
}

interface NameChange {
  readonly folder: FolderNode;
  readonly name: string;
  readonly node: Node | null;
}

const TIB = 2 ** 40;

function fail(code: string, operation: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${operation} '${path}'`), { code });
}

export function memoryDisk(options: MountOptions & { readonly now?: () => number } = {}): MemoryDisk {
  const now = options.now ?? (() => 0);
  let inodes = 1;
  let generation = 0;
  let opened: string[] = [];
  /** Writes that have begun and not ended. */
  const underWay = new Set<{ readonly node: FileNode; readonly chunks: readonly Uint8Array[] }>();

  const newFolder = (system: FileSystem, mode: number): FolderNode => {
    inodes += 1;
    return {
      kind: 'folder',
      inode: inodes,
      system,
      mode,
      mtimeMs: now(),
      entries: new Map(),
      durable: new Map(),
    };
  };
  const newSystem = ({ bytes = TIB, nameMax = 255, hardLinks = true }: MountOptions): FileSystem => {
    const system: FileSystem = {
      bytesMax: bytes,
      used: 0,
      nameMax,
      hardLinks,
      pending: [],
      get root() {
        return root;
      },
    };
    const root = newFolder(system, 0o755);
    return system;
  };

  const base = newSystem(options);
  const systems = new Map<string, FileSystem>();
  const mounted = new Set<string>();

  /** The node at `path`, crossing into mounts, or null. Throws ENOTDIR where a file is used as a folder. */
  function find(path: string, operation: string): Node | null {
    let node: Node = base.root;
    for (const { name, upTo, bytes } of split(path)) {
      if (node.kind !== 'folder') throw fail('ENOTDIR', operation, path);
      if (bytes > node.system.nameMax) throw fail('ENAMETOOLONG', operation, path);
      const next = node.entries.get(name);
      if (!next) return null;
      const system = mounted.has(upTo) ? systems.get(upTo) : undefined;
      node = system ? system.root : next;
    }
    return node;
  }
  function get(path: string, operation: string): Node {
    const node = find(path, operation);
    if (!node) throw fail('ENOENT', operation, path);
    return node;
  }
  function folderOf(path: string, operation: string): { folder: FolderNode; name: string } {
    const folder = get(dirname(path), operation);
    if (folder.kind !== 'folder') throw fail('ENOTDIR', operation, path);
    const name = basename(path);
    if (Buffer.byteLength(name) > folder.system.nameMax) throw fail('ENAMETOOLONG', operation, path);
    return { folder, name };
  }
  function getFolder(path: string, operation: string): FolderNode {
    const node = get(path, operation);
    if (node.kind !== 'folder') throw fail('ENOTDIR', operation, path);
    return node;
  }

  /** Changes names, as one step that a power cut keeps or loses as a whole. */
  function change(changes: readonly NameChange[]): void {
    for (const { folder, name, node } of changes) {
      if (node) folder.entries.set(name, node);
      else folder.entries.delete(name);
      folder.mtimeMs = now();
    }
    const [first] = changes;
    first?.folder.system.pending.push([...changes]);
  }

  function ask(operation: DiskOperation, path: string): void {
    const born = generation;
    const code = disk.fault(operation, path);
    if (code !== null) throw fail(code, operation, path);
    // The power was cut meanwhile: what was asked for is not done on what is left.
    if (born !== generation) throw fail('EIO', operation, path);
  }

  /** As `ask`, of something that may take its time: null where it takes none. */
  function begin(operation: DiskOperation, path: string): Promise<void> | null {
    ask(operation, path);
    const wait = disk.latency(operation, path);
    if (!wait) return null;
    const born = generation;
    const ended = wait.then(() => {
      if (born !== generation) throw fail('EIO', operation, path);
    });
    // Whoever asked may have been refused for another reason.
    ended.catch(() => undefined);
    return ended;
  }

  function makeFolder(path: string, mode: number): FolderNode {
    const found = find(path, 'mkdir');
    if (found?.kind === 'folder') return found;
    if (found) throw fail('EEXIST', 'mkdir', path);
    const parent = makeFolder(dirname(path), mode);
    const name = basename(path);
    if (Buffer.byteLength(name) > parent.system.nameMax) throw fail('ENAMETOOLONG', 'mkdir', path);
    const node = newFolder(parent.system, mode);
    change([{ folder: parent, name, node }]);
    return node;
  }

  function openFile(node: FileNode, path: string, how: OpenMode): DiskFile {
    const born = generation;
    let closed = false;
    opened.push(path);
    const usable = (operation: DiskOperation) => {
      if (closed || born !== generation) throw fail('EBADF', operation, path);
    };
    return {
      async write(chunks) {
        usable('write');
        if (how === 'read') throw fail('EBADF', 'write', path);
        const wait = begin('write', path);
        if (wait) {
          const write = { node, chunks };
          underWay.add(write);
          await wait.finally(() => underWay.delete(write));
        }
        for (const chunk of chunks) {
          const room = Math.max(0, node.system.bytesMax - node.system.used);
          append(node, chunk.byteLength > room ? chunk.subarray(0, room) : chunk);
          if (chunk.byteLength > room) throw fail('ENOSPC', 'write', path);
        }
      },
      async read(offset, length) {
        usable('read');
        ask('read', path);
        return Buffer.from(node.data.subarray(offset, Math.min(node.bytes, offset + length)));
      },
      async truncate(bytes) {
        usable('truncate');
        const wait = begin('truncate', path);
        if (wait) await wait;
        if (bytes > node.bytes) append(node, Buffer.alloc(bytes - node.bytes));
        if (bytes < node.durable.bytes && node.durable.data === null)
          node.durable.data = Buffer.from(node.data.subarray(0, node.durable.bytes));
        if (node.links > 0) node.system.used -= node.bytes - bytes;
        node.bytes = bytes;
        node.mtimeMs = now();
      },
      async datasync() {
        usable('datasync');
        // What comes while it lasts is left to the next one.
        const asked = node.bytes;
        const wait = begin('datasync', path);
        if (wait) await wait;
        const before = node.durable.data === null ? node.durable.bytes : 0;
        node.durable = { data: null, bytes: Math.min(node.bytes, Math.max(before, asked)) };
      },
      async bytes() {
        usable('stat');
        ask('stat', path);
        return node.bytes;
      },
      async close() {
        if (!closed && born === generation) opened.splice(opened.indexOf(path), 1);
        closed = true;
      },
    };
  }

  function append(node: FileNode, chunk: Uint8Array): void {
    const bytes = node.bytes + chunk.byteLength;
    if (bytes > node.data.byteLength) {
      const grown = Buffer.allocUnsafeSlow(Math.max(256, bytes, node.data.byteLength * 2));
      node.data.copy(grown, 0, 0, node.bytes);
      node.data = grown;
    }
    node.data.set(chunk, node.bytes);
    node.bytes = bytes;
    node.mtimeMs = now();
    if (node.links > 0) node.system.used += chunk.byteLength;
  }

  function isMountPoint(path: string): boolean {
    return mounted.has(pointOf(path));
  }

  /** So many names lead to the file system that a path is on. */
  function mountDepth(path: string): number {
    return split(path).findLastIndex(({ upTo }) => mounted.has(upTo)) + 1;
  }

  const disk: MemoryDisk = {
    fault: () => null,
    latency: () => null,
    async mkdir(path, mode = 0o755) {
      ask('mkdir', path);
      makeFolder(path, mode);
    },
    async open(path, how, mode = 0o644) {
      const wait = begin(how === 'create' ? 'create' : 'open', path);
      if (wait) await wait;
      const node = find(path, 'open');
      if (node?.kind === 'folder') throw fail(how === 'create' ? 'EEXIST' : 'EISDIR', 'open', path);
      if (node) {
        if (how === 'create') throw fail('EEXIST', 'open', path);
        return openFile(node, path, how);
      }
      if (how === 'read') throw fail('ENOENT', 'open', path);
      const { folder, name } = folderOf(path, 'open');
      inodes += 1;
      const made: FileNode = {
        kind: 'file',
        inode: inodes,
        system: folder.system,
        mode,
        links: 1,
        mtimeMs: now(),
        data: Buffer.alloc(0),
        bytes: 0,
        durable: { data: null, bytes: 0 },
      };
      change([{ folder, name, node: made }]);
      return openFile(made, path, how);
    },
    async readFile(path) {
      ask('readFile', path);
      const node = get(path, 'readFile');
      if (node.kind === 'folder') throw fail('EISDIR', 'readFile', path);
      return Buffer.from(node.data.subarray(0, node.bytes));
    },
    async link(from, to) {
      const wait = begin('link', to);
      if (wait) await wait;
      const node = get(from, 'link');
      const { folder, name } = folderOf(to, 'link');
      if (find(to, 'link')) throw fail('EEXIST', 'link', to);
      if (node.kind === 'folder') throw fail('EPERM', 'link', from);
      if (node.system !== folder.system) throw fail('EXDEV', 'link', to);
      if (!node.system.hardLinks) throw fail('EPERM', 'link', to);
      node.links += 1;
      change([{ folder, name, node }]);
    },
    async rename(from, to) {
      const wait = begin('rename', to);
      if (wait) await wait;
      const node = get(from, 'rename');
      if (isMountPoint(from) || isMountPoint(to)) throw fail('EBUSY', 'rename', to);
      const source = folderOf(from, 'rename');
      const target = folderOf(to, 'rename');
      if (node.system !== target.folder.system) throw fail('EXDEV', 'rename', to);
      const replaced = target.folder.entries.get(target.name);
      if (replaced === node) return;
      if (replaced?.kind === 'folder') {
        if (node.kind !== 'folder') throw fail('EISDIR', 'rename', to);
        if (replaced.entries.size > 0) throw fail('ENOTEMPTY', 'rename', to);
      } else if (replaced && node.kind === 'folder') throw fail('ENOTDIR', 'rename', to);
      if (replaced) dropName(replaced);
      change([
        { folder: source.folder, name: source.name, node: null },
        { folder: target.folder, name: target.name, node },
      ]);
    },
    async unlink(path) {
      const wait = begin('unlink', path);
      if (wait) await wait;
      const node = get(path, 'unlink');
      if (node.kind === 'folder') throw fail('EISDIR', 'unlink', path);
      const { folder, name } = folderOf(path, 'unlink');
      dropName(node);
      change([{ folder, name, node: null }]);
    },
    async rmdir(path) {
      ask('rmdir', path);
      const node = getFolder(path, 'rmdir');
      if (isMountPoint(path)) throw fail('EBUSY', 'rmdir', path);
      if (node.entries.size > 0) throw fail('ENOTEMPTY', 'rmdir', path);
      const { folder, name } = folderOf(path, 'rmdir');
      change([{ folder, name, node: null }]);
    },
    async readdir(path) {
      ask('readdir', path);
      return [...getFolder(path, 'readdir').entries.keys()].toSorted();
    },
    async stat(path): Promise<DiskStat> {
      ask('stat', path);
      const node = get(path, 'stat');
      const { kind, inode, mode, mtimeMs } = node;
      return kind === 'file'
        ? { kind, inode, mode, mtimeMs, bytes: node.bytes, links: node.links }
        : { kind, inode, mode, mtimeMs, bytes: 0, links: 2 };
    },
    async chmod(path, mode) {
      ask('chmod', path);
      get(path, 'chmod').mode = mode & 0o7777;
    },
    async syncFolder(path) {
      const wait = begin('syncFolder', path);
      const node = getFolder(path, 'syncFolder');
      const { system } = node;
      const last = system.pending.findLast((changes) => changes.some(({ folder }) => folder === node));
      if (wait) await wait;
      // A change that touches the folder pulls in what it depends on: everything before it, as a journaling system does.
      const count = last ? system.pending.indexOf(last) + 1 : 0;
      for (const changes of system.pending.splice(0, count)) settle(changes);
    },
    async space(path) {
      ask('space', path);
      const { system } = get(path, 'space');
      return { freeBytes: Math.max(0, system.bytesMax - system.used), totalBytes: system.bytesMax };
    },

    mount(path, mountOptions = {}) {
      const at = pointOf(path);
      makeFolder(at, 0o755);
      if (!systems.has(at)) systems.set(at, newSystem(mountOptions));
      mounted.add(at);
    },
    unmount(path) {
      mounted.delete(pointOf(path));
    },
    resize(path, bytes) {
      get(path, 'resize').system.bytesMax = bytes;
    },
    crash(keep = 0, torn) {
      const share = typeof keep === 'number' ? () => keep : keep;
      generation += 1;
      opened = [];
      for (const { node, chunks } of underWay) {
        const bytes = Buffer.concat(chunks);
        append(node, bytes.subarray(0, Math.floor(bytes.length * (torn ?? share)())));
      }
      underWay.clear();
      for (const system of new Set([base, ...systems.values()])) {
        for (const changes of system.pending.slice(0, Math.floor(system.pending.length * share())))
          settle(changes);
        system.pending = [];
        system.used = 0;
        const seen = new Set<Node>();
        restore(system.root, share, seen);
      }
    },
    openFiles: () => opened.length,
    openNames: () => [...opened],
    sizes(path = '/') {
      const found = new Map<string, number>();
      const walk = (at: string) => {
        const node = find(at, 'sizes');
        if (node?.kind === 'file') found.set(at, node.bytes);
        if (node?.kind !== 'folder') return;
        for (const name of [...node.entries.keys()].toSorted()) walk(`${at === '/' ? '' : at}/${name}`);
      };
      walk(path);
      return found;
    },
    files(path = '/') {
      const found = new Map<string, Buffer>();
      for (const file of disk.sizes(path).keys()) {
        const node = find(file, 'files');
        if (node?.kind === 'file') found.set(file, Buffer.from(node.data.subarray(0, node.bytes)));
      }
      return found;
    },
    glance(path) {
      const node = find(path, 'glance');
      return node?.kind === 'file' ? node.data.subarray(0, node.bytes) : null;
    },
    durableBytes(path) {
      const node = find(path, 'durableBytes');
      if (node?.kind !== 'file') return null;
      let at: Node = node.system.root;
      for (const { name } of split(path).slice(mountDepth(path))) {
        const next: Node | undefined = at.kind === 'folder' ? at.durable.get(name) : undefined;
        if (!next) return null;
        at = next;
      }
      if (at !== node) return null;
      return node.durable.data === null ? node.durable.bytes : 0;
    },
    corrupt(path, offset, value) {
      const node = get(path, 'corrupt');
      if (node.kind === 'file') node.data[offset] = value;
    },
  };

  return disk;
}

interface Part {
  readonly name: string;
  readonly bytes: number;
  /** The path that ends with it. */
  readonly upTo: string;
}

/** A world asks for the same few paths all the time. */
const parted = new Map<string, readonly Part[]>();
const PARTED_MAX = 10_000;

function split(path: string): readonly Part[] {
  const known = parted.get(path);
  if (known) return known;
  let upTo = '';
  const parts = path
    .split('/')
    .filter((name) => name !== '' && name !== '.')
    .map((name) => ({ name, bytes: Buffer.byteLength(name), upTo: (upTo += `/${name}`) }));
  if (parted.size >= PARTED_MAX) parted.clear();
  parted.set(path, parts);
  return parts;
}

const pointOf = (path: string) => split(path).at(-1)?.upTo ?? '/';

function settle(changes: readonly NameChange[]): void {
  for (const { folder, name, node } of changes) {
    if (node) folder.durable.set(name, node);
    else folder.durable.delete(name);
  }
}

function dropName(node: Node): void {
  if (node.kind !== 'file') return;
  node.links -= 1;
  if (node.links === 0) node.system.used -= node.bytes;
}

function restore(folder: FolderNode, share: () => number, seen: Set<Node>): void {
  folder.entries = new Map(folder.durable);
  for (const node of folder.entries.values()) {
    if (node.kind === 'folder') {
      restore(node, share, seen);
      continue;
    }
    if (!seen.has(node)) {
      seen.add(node);
      node.links = 0;
      const { data, bytes } = node.durable;
      if (data) node.data = Buffer.from(data);
      node.bytes = data ? bytes : bytes + Math.floor(Math.max(0, node.bytes - bytes) * share());
      node.durable = { data: null, bytes: node.bytes };
      node.system.used += node.bytes;
    }
    node.links += 1;
  }
}
