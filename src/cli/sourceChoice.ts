/**
 * What `run` records from (CONTRACT §1): the sources that were configured, or the demo where nothing at all was said.
 * Somebody who configured something else wants their own channels, and is told that no source was given.
 */
import { CodedError } from '../domain/errors.js';
import type { LoadedCommand } from './load.js';

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The state file knows recordings of sources other than the demo. */
  readonly stateOfRealSources: boolean;
}

/** Throws CodedError `usage` where neither fits. */
export function chooseSource(loaded: LoadedCommand, around: Surroundings): 'configured' | 'demo' {
  const { sources } = loaded.config;
  // A guide alone names no stream, unless a relay makes one of every channel.
  const relayed = sources.xmltv.length > 0 && sources.streamBaseUrl !== null;
  const lists = [sources.catalog, sources.m3u, sources.xtream];
  if (relayed || lists.some((list) => list.length > 0)) return 'configured';
  const meansIt =
    loaded.configFile !== null ||
    ['config', 'publish-dir', 'xmltv', 'stream-base-url'].some((name) => loaded.given.has(name)) ||
    (around.env['NOTIFY_SOCKET'] ?? '') !== '' ||
    around.stateOfRealSources;
  if (meansIt) throw new CodedError('usage', 'no source: give --m3u, --xtream or --catalog');
  return 'demo';
}
