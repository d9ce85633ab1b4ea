/** Lays the values of the single options out in the shape that the parts read, and fills in what follows from others. */
import { lanesOf, type LaneDefinition } from '../domain/laneDefinition.js';
import type { LaneMap } from '../domain/quantity.js';
import { BEST } from '../domain/hlsVariant.js';
import {
  type Config,
  type GuidePolicy,
  type LogFormat,
  type LogLevel,
  SERVER_KINDS,
  type ServerConfig,
} from './config.js';
import type { OPTIONS } from './optionTable.js';
import type { ObjectLists } from './objects.js';
import type { OptionName } from './options.js';
import type { ValueOfKind } from './kinds.js';

const API_CONNECTIONS_MAX = 1024;

export type ValueOf<N extends OptionName> = ValueOfKind[Extract<
  (typeof OPTIONS)[number],
  { name: N }
>['kind']];

/** Undefined where nothing was given and there is no default, or where what was given could not be read. */
export type Values = <N extends OptionName>(name: N) => ValueOf<N> | undefined;

/** `given` has the names of the options that somebody gave. */
export function buildConfig(
  value: Values,
  given: ReadonlySet<string>,
  laneDefinitions: readonly LaneDefinition[],
  lists: ObjectLists,
): Config {
  const outDir = value('out-dir') ?? '';
  const lanes = lanesOf(laneDefinitions, { padded: true });
  return {
    sources: {
      catalog: value('catalog') ?? [],
      m3u: value('m3u') ?? [],
      xtream: value('xtream') ?? [],
      xmltv: value('xmltv') ?? [],
      streamBaseUrl: value('stream-base-url') ?? null,
      intervalMs: value('source-interval') ?? 0,
      userAgent: value('user-agent') ?? '',
      aliasesFile: value('aliases') ?? null,
      guideTimezone: value('guide-timezone') ?? 'UTC',
    },
    places: {
      outDir,
      publishDir: value('publish-dir') ?? null,
      stateFile: value('state-file') ?? `${outDir}/recorder-state.json`,
      umask: value('umask') ?? 0,
      requireMount: value('require-mount') ?? false,
    },
    what: {
      laneDefinitions,
      lanes: value('lanes') ?? [],
      excludeLanes: value('exclude-lanes') ?? [],
      channels: value('channels') ?? [],
      excludeChannels: value('exclude-channels') ?? [],
      groups: value('groups') ?? [],
      excludeGroups: value('exclude-groups') ?? [],
      rulesFile: value('rules') ?? null,
      rulesOnly: value('rules-only') ?? false,
      includeAdult: value('include-adult') ?? false,
      guidePolicy: (value('guide-policy') ?? 'off') as GuidePolicy,
      horizonMs: value('horizon') ?? 0,
      capsulesMax: value('limit') ?? 0,
    },
    when: {
      pollIntervalMs: value('poll-interval') ?? 0,
      leadTimeMs: value('lead-time') ?? 0,
      prePaddingMs: value('pre-padding') ?? 0,
      postPaddingMs: value('post-padding') ?? 0,
      postPaddingGiven: given.has('post-padding'),
      durationMsMax: value('max-duration') ?? 0,
      joinMinLeft: value('join-min-left') ?? 0,
    },
    how: {
      providerMax: { ...lists.providerAccounts.max, ...value('provider-max') },
      providerReserve: { ...lists.providerAccounts.reserve, ...value('provider-reserve') },
      providerCooldownMs: value('provider-cooldown') ?? 0,
      bandwidthMax: value('max-bandwidth') ?? 0,
      preempt: value('preempt') ?? true,
      preferQuality: value('prefer-quality') ?? BEST,
      concurrencyMax: value('max-concurrency') ?? 0,
      concurrencyMaxPerLane: ofLanes(laneDefinitions, ({ concurrencyMax }) => concurrencyMax),
      stallTimeoutMs: value('stall-timeout') ?? 0,
      firstByteTimeoutMs: value('first-byte-timeout') ?? 0,
      attemptsMax: value('record-max-attempts') ?? 0,
      retryBackoffMs: value('record-retry-backoff') ?? 0,
      retryBackoffMsMax: value('record-retry-backoff-max') ?? 0,
      replayUrlTemplate: value('replay-url-template') ?? null,
      resumePartial: value('record-resume-partial') ?? true,
      upstreamFallback: value('record-upstream-fallback') ?? true,
      deprioritizeHosts: (value('record-deprioritize-hosts') ?? []).map((host) => host.toLowerCase()),
      autopilotFile: value('autopilot-state-file') ?? null,
      hostPolicyFile: value('host-policy-file') ?? null,
    },
    keep: {
      keepMs: {
        ...Object.fromEntries(lanes.toReversed().map(({ name, keepMs }) => [name, keepMs])),
        ...value('retain-completed-max-age-per-lane'),
        ...(given.has('keep') && value('keep')),
      },
      completedMax: value('retain-completed') ?? 0,
      failedMax: value('retain-failed') ?? 0,
      completedMaxPerLane: {
        ...ofLanes(laneDefinitions, ({ completedMax }) => completedMax),
        ...value('retain-completed-per-lane'),
      },
      failedMaxPerLane: value('retain-failed-per-lane') ?? {},
      bytesMaxPerLane: {
        ...ofLanes(laneDefinitions, ({ bytesMax }) => bytesMax),
        ...value('budget-bytes-per-lane'),
      },
      bytesMax: value('budget-bytes') ?? 0,
      completedAgeMsMax: value('retain-completed-max-age') ?? 0,
      completedAgeMsMaxPerLane: value('retain-completed-max-age-per-lane') ?? {},
      diskFreeMin: value('disk-free-min') ?? { kind: 'bytes', bytes: 0 },
    },
    publish: {
      libraryPrefix: value('library-prefix') ?? '',
      refresh: value('refresh') ?? true,
      deferRefresh: value('defer-library-refresh') ?? false,
      servers: [...registered(value), ...lists.mediaServers],
      pathMap: value('path-map') ?? [],
      onPublished: value('on-published') ?? null,
      webhooks: lists.webhooks,
    },
    doors: {
      listen: value('listen') ?? null,
      apiToken: value('api-token') ?? null,
      noAuth: value('no-auth') ?? false,
      connectionsMax: API_CONNECTIONS_MAX,
      publicUrl: value('public-url') ?? null,
      inspectWs: value('inspect-ws') ?? null,
    },
    run: { once: value('once') ?? false, runForMs: value('run-for') ?? 0 },
    log: {
      format: (value('log-format') ?? 'auto') as LogFormat,
      level: (value('log-level') ?? 'info') as LogLevel,
    },
  };
}

/** Limits that lanes bring along; one that is not given is left out. */
function ofLanes(
  definitions: readonly LaneDefinition[],
  limit: (definition: LaneDefinition) => number | null,
): LaneMap {
  return Object.fromEntries(
    definitions.flatMap((definition) => {
      const own = limit(definition);
      return own === null ? [] : [[definition.name, own]];
    }),
  );
}

/** The servers of the options; what is missing is for the check of the whole to say. */
function registered(value: Values): ServerConfig[] {
  return SERVER_KINDS.flatMap((kind) =>
    value(`register-${kind}`) === true
      ? [
          {
            name: kind,
            kind,
            url: value(`${kind}-url`) ?? '',
            token: value(`${kind}-token`) ?? '',
            pathMap: [],
          },
        ]
      : [],
  );
}
