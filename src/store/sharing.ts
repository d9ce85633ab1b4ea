/**
 * Thousands of rows say the same things: which channel, which group, which lane. What they have in common is kept once
 * for all of them. Values of the state are never changed in place, so nobody notices.
 */

export interface Sharing {
  /** The same value, with what it repeats replaced by what was seen before. */
  share<T>(value: T): T;
}

/** Parts that are often alike, by the name they go by: over all documents, or twice in one. */
const PARTS = new Set([
  'patience',
  'health',
  'ts',
  'tsBefore',
  'upstreams',
  'categories',
  'source',
  'children',
  'historyValue',
  'gaps',
  'deadline',
]);
const TEXTS = new Set([
  'recordKey',
  'dnaId',
  'channelId',
  'guideNumber',
  'tvgId',
  'channelName',
  'group',
  'lane',
  'path',
  'reason',
  'outcome',
  'source',
  'channel',
]);

export function createSharing(): Sharing {
  const texts = new Map<string, string>();
  /** The last of each name: it is compared with what comes, which costs less than a key would. */
  const parts = new Map<string, object>();

  function text(value: string): string {
    const before = texts.get(value);
    if (before !== undefined) return before;
    texts.set(value, value);
    return value;
  }

  function part(name: string, value: object): object {
    const before = parts.get(name);
    if (before && alike(before, value)) return before;
    parts.set(name, share(value));
    return value;
  }

  function share<T>(value: T): T {
    if (Array.isArray(value)) for (const item of value) share(item);
    else if (isObject(value)) shareMembers(value as Record<string, unknown>);
    return value;
  }

  function shareMembers(row: Record<string, unknown>): void {
    for (const name in row) {
      const value = row[name];
      if (typeof value === 'string') {
        if (TEXTS.has(name)) row[name] = text(value);
      } else if (isObject(value)) {
        if (name === 'keys' && Array.isArray(value))
          row[name] = value.map((key: unknown) => (typeof key === 'string' ? text(key) : key));
        else if (PARTS.has(name)) row[name] = part(name, value);
        else share(value);
      }
    }
  }

  return { share };
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** Equal as JSON, members in the same order or not. */
function alike(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (!isObject(a) || !isObject(b) || Array.isArray(a) !== Array.isArray(b)) return false;
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => Object.hasOwn(b, name) && alike(member(a, name), member(b, name)));
}

function member(of: object, name: string): unknown {
  return (of as Record<string, unknown>)[name];
}
