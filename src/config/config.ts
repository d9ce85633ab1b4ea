/**
 * What the rest of the program is told to do: every option, parsed, checked and resolved. Built in `resolve.ts` from
 * the table in `options.ts`; the parts that use it import only these types.
 *
 * Times are milliseconds, sizes bytes, shares 0 to 1, paths absolute, lane names lower case. **0 is no limit**, for
 * every limit here; null is "not given".
 */
import type { Listen } from '../domain/address.js';
import type { LaneDefinition } from '../domain/laneDefinition.js';
import type { QualityWish } from '../domain/hlsVariant.js';
import type { PathMapping } from '../domain/pathMap.js';
import type { NoticeEvent } from '../domain/notice.js';
import type { Floor, LaneMap } from '../domain/quantity.js';

export type GuidePolicy = 'off' | 'healthy' | 'strict';
export type LogFormat = 'auto' | 'pretty' | 'json';
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

export interface Config {
  readonly sources: SourcesConfig;
  readonly places: PlacesConfig;
  readonly what: WhatConfig;
  readonly when: WhenConfig;
  readonly how: HowConfig;
  readonly keep: KeepConfig;
  readonly publish: PublishConfig;
  readonly doors: DoorsConfig;
  readonly run: RunConfig;
  readonly log: LogConfig;
}

/** Locations are absolute paths or http(s) URLs; URLs are secret (redact before showing). */
export interface SourcesConfig {
  readonly catalog: readonly string[];
  readonly m3u: readonly string[];
  readonly xtream: readonly string[];
  readonly xmltv: readonly string[];
  /** Without a slash at its end, or null. */
  readonly streamBaseUrl: string | null;
  readonly intervalMs: number;
  readonly userAgent: string;
  readonly aliasesFile: string | null;
  /** IANA name, for guide times that carry no zone. */
  readonly guideTimezone: string;
}

export interface PlacesConfig {
  readonly outDir: string;
  readonly publishDir: string | null;
  readonly stateFile: string;
  readonly umask: number;
  /** Out-dir and publish-dir must lie on something mounted, not on the root file system. */
  readonly requireMount: boolean;
}

export interface WhatConfig {
  /** Lanes of somebody's own, in the order in which they are tried. */
  readonly laneDefinitions: readonly LaneDefinition[];
  /** Empty is every lane. */
  readonly lanes: readonly string[];
  readonly excludeLanes: readonly string[];
  /** Patterns as typed (`*` globs); matched without regard to case against name, id, number and dna. */
  readonly channels: readonly string[];
  readonly excludeChannels: readonly string[];
  readonly groups: readonly string[];
  readonly excludeGroups: readonly string[];
  readonly rulesFile: string | null;
  /** Only what a rule asks for. */
  readonly rulesOnly: boolean;
  readonly includeAdult: boolean;
  readonly guidePolicy: GuidePolicy;
  readonly horizonMs: number;
  readonly capsulesMax: number;
}

export interface WhenConfig {
  readonly pollIntervalMs: number;
  readonly leadTimeMs: number;
  readonly prePaddingMs: number;
  readonly postPaddingMs: number;
  /** Somebody said so, for every lane that does not say otherwise itself. */
  readonly postPaddingGiven: boolean;
  readonly durationMsMax: number;
  /** Share of the programme that must still be ahead for joining it late. */
  readonly joinMinLeft: number;
}

export interface HowConfig {
  readonly concurrencyMax: number;
  /** Only the lanes that have a limit of their own. */
  readonly concurrencyMaxPerLane: LaneMap;
  /** By account label, lower case. */
  readonly providerMax: Readonly<Record<string, number>>;
  readonly providerReserve: Readonly<Record<string, number>>;
  readonly providerCooldownMs: number;
  /** Bits a second over all connections; 0 is no limit. */
  readonly bandwidthMax: number;
  readonly preempt: boolean;
  /** Of the variants of an HLS stream. */
  readonly preferQuality: QualityWish;
  readonly stallTimeoutMs: number;
  readonly firstByteTimeoutMs: number;
  /** Consecutive failures; 0 is until the programme ends. */
  readonly attemptsMax: number;
  readonly retryBackoffMs: number;
  readonly retryBackoffMsMax: number;
  readonly upstreamFallback: boolean;
  /** Address of programmes that are over, with variables in braces, or null. Secret. */
  readonly replayUrlTemplate: string | null;
  /** Whether finite bodies are gone on with by Range. */
  readonly resumePartial: boolean;
  /** Lower case; a host or a parent domain. */
  readonly deprioritizeHosts: readonly string[];
  /** iptv-tunerr's autopilot memory, or null. */
  readonly autopilotFile: string | null;
  /** iptv-tunerr's host policy, or null. */
  readonly hostPolicyFile: string | null;
}

export interface KeepConfig {
  /** Keep time by lane, every lane filled in. */
  readonly keepMs: LaneMap;
  readonly completedMax: number;
  readonly failedMax: number;
  /** Only the lanes that were given. */
  readonly completedMaxPerLane: LaneMap;
  readonly failedMaxPerLane: LaneMap;
  readonly bytesMaxPerLane: LaneMap;
  readonly bytesMax: number;
  /** Since its stop, for finished recordings of lanes without an age of their own. */
  readonly completedAgeMsMax: number;
  readonly completedAgeMsMaxPerLane: LaneMap;
  readonly diskFreeMin: Floor;
}

export const SERVER_KINDS = ['plex', 'emby', 'jellyfin'] as const;
export type ServerKind = (typeof SERVER_KINDS)[number];

export const WEBHOOK_FORMS = ['json', 'ntfy', 'discord', 'gotify'] as const;
export type WebhookForm = (typeof WEBHOOK_FORMS)[number];

export interface PublishConfig {
  readonly libraryPrefix: string;
  readonly refresh: boolean;
  /** A folder is told of only when the manifest lists it. */
  readonly deferRefresh: boolean;
  readonly servers: readonly ServerConfig[];
  readonly pathMap: readonly PathMapping[];
  /** The words of the program to run for each finished recording, or null. */
  readonly onPublished: readonly string[] | null;
  readonly webhooks: readonly WebhookConfig[];
}

export interface ServerConfig {
  /** Lower case; one server each. */
  readonly name: string;
  readonly kind: ServerKind;
  /** Secret: it may hold a login. '' where it is missing. */
  readonly url: string;
  /** Secret. */
  readonly token: string;
  readonly pathMap: readonly PathMapping[];
}

export interface WebhookConfig {
  readonly name: string;
  /** Secret: services put their key into it. */
  readonly url: string;
  readonly form: WebhookForm;
  /** Secret; signs the JSON. */
  readonly secret: string | null;
  /** Secret; for services that ask for one in a header. */
  readonly token: string | null;
  /** Empty is all. */
  readonly events: readonly NoticeEvent[];
}

export interface DoorsConfig {
  readonly listen: Listen | null;
  /** Secret. */
  readonly apiToken: string | null;
  readonly noAuth: boolean;
  /** That may be open at once. */
  readonly connectionsMax: number;
  readonly publicUrl: string | null;
  /** Of a relay that the charts are shown to, or null. */
  readonly inspectWs: string | null;
}

export interface RunConfig {
  readonly once: boolean;
  /** 0 is until told to stop. */
  readonly runForMs: number;
}

export interface LogConfig {
  readonly format: LogFormat;
  readonly level: LogLevel;
}
