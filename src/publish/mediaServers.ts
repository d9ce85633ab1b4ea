/** Every media server there is. Another one is a file, an entry here and a row in docs/publishing.md. */
import { emby } from './emby.js';
import { jellyfin } from './jellyfin.js';
import type { MediaServer } from './mediaServer.js';
import { plex } from './plex.js';

export const MEDIA_SERVERS: readonly MediaServer[] = [plex, jellyfin, emby];

export function mediaServerOf(kind: MediaServer['kind']): MediaServer {
  const server = MEDIA_SERVERS.find((each) => each.kind === kind);
  if (!server) throw new Error(`no media server is called ${kind}`);
  return server;
}
