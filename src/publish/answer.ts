/** Reading answers that may hold anything: a list may come as its only member, a number as a text. */

type Fields = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The records of a list, or the one that stands in its place. */
export function listIn(from: unknown, name: string): readonly Fields[] {
  const value = isRecord(from) ? from[name] : undefined;
  return (Array.isArray(value) ? value : [value]).filter(isRecord);
}

/** '' where there is none. */
export function textIn(from: unknown, name: string): string {
  const value = isRecord(from) ? from[name] : undefined;
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}

export function textsIn(from: unknown, name: string): readonly string[] {
  const value = isRecord(from) ? from[name] : undefined;
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}
