/** What no single option can tell: settings that contradict each other. */
import { isLoopback, formatListen } from '../domain/address.js';
import type { Config } from './config.js';
import type { Problem } from './file.js';
import { laneNames } from '../domain/laneDefinition.js';
import { isInside } from './paths.js';

export function crossCheck(config: Config): Problem[] {
  return [
    ...placesCheck(config),
    ...whatCheck(config),
    ...howCheck(config),
    ...publishCheck(config),
    ...doorsCheck(config),
  ];
}

function* placesCheck({ places }: Config): Iterable<Problem> {
  const { outDir, publishDir, stateFile } = places;
  if (publishDir === null || outDir === '') return;
  if (outDir === publishDir) {
    yield { origin: '--publish-dir', message: `${publishDir} is also --out-dir; give each its own folder` };
  } else if (isInside(publishDir, outDir)) {
    yield {
      origin: '--publish-dir',
      message: `${publishDir} is inside --out-dir ${outDir}; put them side by side`,
    };
  } else if (isInside(outDir, publishDir)) {
    yield {
      origin: '--out-dir',
      message: `${outDir} is inside --publish-dir ${publishDir}; put them side by side`,
    };
  }
  if (isInside(stateFile, publishDir) && !isInside(outDir, publishDir)) {
    yield {
      origin: '--state-file',
      message: `${stateFile} is inside --publish-dir, which media servers read`,
    };
  }
}

function* whatCheck({ what }: Config): Iterable<Problem> {
  if (what.rulesOnly && what.rulesFile === null)
    yield { origin: '--rules-only', message: 'needs --rules FILE' };
  const wanted = what.lanes.length > 0 ? what.lanes : laneNames(what.laneDefinitions);
  if (wanted.every((lane) => what.excludeLanes.includes(lane))) {
    yield { origin: '--exclude-lanes', message: 'no lane is left to record' };
  }
}

function* howCheck({ how }: Config): Iterable<Problem> {
  if (how.retryBackoffMs > 0 && how.retryBackoffMsMax > 0 && how.retryBackoffMs > how.retryBackoffMsMax) {
    yield { origin: '--record-retry-backoff', message: 'is longer than --record-retry-backoff-max' };
  }
}

function* publishCheck({ publish, places }: Config): Iterable<Problem> {
  const { servers, webhooks, pathMap, deferRefresh } = publish;
  for (const { name, kind, url, token } of servers) {
    const byOption = name === kind;
    const origin = byOption ? `--register-${kind}` : `media-servers ${name}`;
    if (places.publishDir === null)
      yield { origin, message: 'needs --publish-dir: a server is only shown what is finished' };
    if (url === '') yield { origin, message: `needs --${kind}-url` };
    if (token === '') yield { origin, message: `needs --${kind}-token or --${kind}-token-file` };
  }
  if (places.publishDir === null && pathMap.length > 0)
    yield { origin: '--path-map', message: 'needs --publish-dir' };
  if (places.publishDir === null && deferRefresh)
    yield { origin: '--defer-library-refresh', message: 'needs --publish-dir' };
  const names = [...servers, ...webhooks].map(({ name }) => name);
  for (const name of new Set(names.filter((each, index) => names.indexOf(each) !== index)))
    yield {
      origin: 'media-servers, webhooks',
      message: `"${name}" is named twice; give each a name of its own`,
    };
  for (const { server } of pathMap)
    if (server !== null && !servers.some(({ name, kind }) => server === name || server === kind))
      yield { origin: '--path-map', message: `no server is called "${server}"` };
}

function* doorsCheck({ doors }: Config): Iterable<Problem> {
  if (doors.noAuth && doors.apiToken !== null) {
    yield { origin: '--no-auth', message: 'contradicts --api-token; give one of them' };
  }
  if (doors.listen && !isLoopback(doors.listen.host) && doors.apiToken === null && !doors.noAuth) {
    yield {
      origin: '--listen',
      message: `${formatListen(doors.listen)} is reachable from outside; give --api-token, or --no-auth if anybody may use it`,
    };
  }
}
