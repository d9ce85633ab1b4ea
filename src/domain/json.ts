/** JSON as data. */
export type JsonValue =
  null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

export function isJsonRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** JSON that is written already, in UTF-8; in parts, because putting large ones together takes its time. */
export class JsonBytes {
  constructor(readonly parts: readonly Uint8Array[]) {}
}
