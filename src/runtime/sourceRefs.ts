/** What a configuration names as sources: catalogs, lists and guides, each with an id that follows from its address. */

import type { Config } from '../config/config.js';
import type { SourceRef } from '../domain/channel.js';
import { sha1hex } from '../domain/sha1.js';

export function sourceRef(kind: SourceRef['kind'], location: string): SourceRef {
  return { id: `${kind}-${sha1hex(`${kind} ${location}`).slice(0, 8)}`, kind, location };
}

export function configuredSources(config: Config): SourceRef[] {
  const { catalog, m3u, xtream, xmltv } = config.sources;
  return [
    ...catalog.map((location) => sourceRef('catalog', location)),
    ...m3u.map((location) => sourceRef('m3u', location)),
    ...xtream.map((location) => sourceRef('xtream', location)),
    ...xmltv.map((location) => sourceRef('xmltv', location)),
  ];
}
