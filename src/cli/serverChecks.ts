/** What `doctor` says of media servers and webhooks: whether each answers, takes our token, and can have its libraries. */

import { join } from 'node:path';
import type { Config } from '../config/config.js';
import { CodedError } from '../domain/errors.js';
import { sanitize } from '../domain/names.js';
import { mapPath } from '../domain/pathMap.js';
import { redactUrl } from '../domain/redact.js';
import { findLibrary } from '../publish/library.js';
import { ServerFault } from '../publish/mediaServer.js';
import { mediaServerOf } from '../publish/mediaServers.js';
import type { Doors } from '../runtime/doors.js';
import { recordedLanes } from '../runtime/lanes.js';
import { libraryName, mappingsFor } from '../publish/serverReceiver.js';

export interface ServerFinding {
  readonly name: string;
  readonly detail: string;
  readonly problem: CodedError | null;
}

/** Asks and changes nothing. */
export async function checkServers(config: Config, doors: Pick<Doors, 'exchange'>): Promise<ServerFinding[]> {
  const findings: ServerFinding[] = [];
  for (const one of config.publish.servers) {
    const access = { url: one.url, token: one.token, clientId: 'catchupd-doctor', exchange: doors.exchange };
    const server = mediaServerOf(one.kind);
    const shown = `${one.name} at ${redactUrl(one.url)}`;
    try {
      const version = await server.check(access);
      const all = await server.libraries(access);
      const wishes = recordedLanes(config).map(({ name, kind }) => ({
        name: libraryName(config.publish.libraryPrefix, name),
        kind,
        path: mapPath(
          join(config.places.publishDir ?? '', sanitize(name)),
          one.name,
          mappingsFor(one, config.publish.pathMap),
        ),
      }));
      const missing = wishes.filter((wish) => findLibrary(all, wish, null) === null);
      const found = `${wishes.length - missing.length} libraries there, ${missing.length} to be made`;
      findings.push({ name: one.name, detail: `${version}, ${found}`, problem: null });
    } catch (error) {
      if (!(error instanceof ServerFault)) throw error;
      const problem = new CodedError(error.code, `${shown}: ${error.detail}`);
      findings.push({ name: one.name, detail: problem.detail, problem });
    }
  }
  return findings;
}
