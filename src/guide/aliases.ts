/** The alias file: which XMLTV id a channel name stands for where neither ids nor names agree (PROTOCOLS §1.2). */

import { normalizeName } from '../domain/dna.js';
import { CodedError } from '../domain/errors.js';
import type { Aliases } from '../domain/match.js';
import { isObject, jsonOf } from './json.js';

/** Reads `{"name_to_xmltv_id": {"Name": "id"}}`. Throws `aliases_unreadable`. */
export function parseAliases(bytes: Uint8Array): Aliases {
  const parsed = jsonOf(bytes);
  const names = isObject(parsed) ? parsed['name_to_xmltv_id'] : undefined;
  if (!isObject(names)) throw new CodedError('aliases_unreadable', 'it has no name_to_xmltv_id');
  const aliases = new Map<string, string>();
  for (const [name, id] of Object.entries(names)) {
    const norm = normalizeName(name);
    if (norm !== '' && typeof id === 'string' && id.trim() !== '') aliases.set(norm, id.trim());
  }
  return aliases;
}
