/** Paths as text: this layer asks the disk nothing, it only makes absolute what was typed. */

/** `path` against `base`, with `.` and `..` worked off. `base` is absolute. */
export function absolutePath(base: string, path: string): string {
  const whole = path.startsWith('/') ? path : `${base}/${path}`;
  const parts: string[] = [];
  for (const part of whole.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

export function folderOf(path: string): string {
  return absolutePath(path, '..');
}

/** Also true where both are the same. Both absolute and worked off. */
export function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`);
}

export function isWebAddress(text: string): boolean {
  return /^https?:\/\//i.test(text);
}
