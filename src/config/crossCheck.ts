/** What no single option can tell: settings that contradict each other. */
import { isLoopback, formatListen } from '../domain/address.js';
import type { Config } from './config.js';
import type { Problem } from './file.js';
import { laneNames } from '../domain/laneDefinition.js';
import { isInside } from './paths.js';

export function crossCheck(config: Config): Problem[] {
  return [...placesCheck(config), ...whatCheck(config), ...howCheck(config), ...doorsCheck(config)];
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
