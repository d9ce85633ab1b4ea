/**
 * How a path here is called where a media server runs (`--path-map [SERVER:]LOCAL=REMOTE`), and when two names of a
 * folder mean the same: servers on Windows write `\` and care for no case.
 */

export interface PathMapping {
  /** A server's name; null is every server. */
  readonly server: string | null;
  /** Absolute, without a slash at its end. */
  readonly local: string;
  readonly remote: string;
}

/** The longest LOCAL that holds the path wins, one for this very server before one for all. */
export function mapPath(path: string, server: string, mappings: readonly PathMapping[]): string {
  const fitting = mappings
    .filter((each) => each.server === null || each.server === server)
    .filter(({ local }) => path === local || path.startsWith(local === '/' ? '/' : `${local}/`));
  const [best] = fitting.toSorted(
    (a, b) => b.local.length - a.local.length || Number(b.server !== null) - Number(a.server !== null),
  );
  if (!best) return path;
  const rest = path.slice(best.local === '/' ? 0 : best.local.length).replace(/^\//, '');
  const separator = isWindows(best.remote) ? '\\' : '/';
  const base = best.remote.replace(/[\\/]+$/, '');
  return rest === '' ? best.remote : `${base}${separator}${rest.replaceAll('/', separator)}`;
}

/** A drive letter, a share, or a backslash before any slash. */
export function isWindows(path: string): boolean {
  return /^[a-z]:([\\/]|$)/i.test(path) || path.startsWith('\\\\');
}

/** Whether two names stand for one folder of a server. */
export function samePath(a: string, b: string): boolean {
  return plain(a) === plain(b);
}

/** Whether a folder of a server lies in another, or is it. */
export function liesIn(path: string, folder: string): boolean {
  const [inner, outer] = [plain(path), plain(folder)];
  return inner === outer || inner.startsWith(outer === '/' ? '/' : `${outer}/`);
}

function plain(path: string): string {
  const text = isWindows(path) ? path.replaceAll('\\', '/').toLowerCase() : path;
  return text.replace(/\/+$/, '') || '/';
}
