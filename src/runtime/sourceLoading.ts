/** From the address of a list or guide to what it says, parsed and counted; judging and adopting it is done elsewhere. */

import { join } from 'node:path';
import type { Config } from '../config/config.js';
import type { SourceRef } from '../domain/channel.js';
import { CodedError } from '../domain/errors.js';
import { listCounts, type GateCounts } from '../domain/gate.js';
import type { Aliases } from '../domain/match.js';
import type { GuideData, ListData } from '../domain/programme.js';
import { redactText } from '../domain/redact.js';
import { parseAliases } from '../guide/aliases.js';
import { parseCatalog } from '../guide/catalog.js';
import { fetchSource, shownLocation, type Validators } from '../guide/fetchSource.js';
import { parseM3u } from '../guide/m3u.js';
import { diskCode } from '../io/disk.js';
import type { Doors } from './doors.js';

/** Programmes are kept this far past the horizon, so that the plan sees successors and moves. */
const MARGIN_MS = 24 * 3_600_000;
const LIST_BYTES_MAX = 256 * 2 ** 20;

export interface Loaded {
  readonly sourceId: string;
  readonly validators: Validators;
  readonly counts: GateCounts;
  readonly list: ListData | null;
  readonly guide: GuideData | null;
  readonly at: number;
}

export interface SourceLoading {
  /** Throws CodedError where the source cannot be read. What it fetched lies in `<id>.next`. */
  load(ref: SourceRef, validators: Validators, signal: AbortSignal): Promise<Loaded | 'unchanged'>;
  /** Programmes of a file around now. */
  parseWindow(file: string): Promise<GuideData>;
  aliases(): Aliases | undefined;
}

/** `folder` is where copies of sources are kept. */
export function createSourceLoading(config: Config, folder: string, doors: Doors): SourceLoading {
  const { disk, clock, log } = doors;
  let aliases: Aliases | undefined;

  function parseWindow(file: string): Promise<GuideData> {
    const now = clock.now();
    return doors.parse.guide({
      path: file,
      fromAt: now - MARGIN_MS,
      toAt: now + config.what.horizonMs + MARGIN_MS,
      timezone: config.sources.guideTimezone,
    });
  }

  async function loadAliases(): Promise<void> {
    if (config.sources.aliasesFile === null) return;
    const file = config.sources.aliasesFile;
    try {
      aliases = parseAliases(await disk.readFile(file));
    } catch (error) {
      log.error({ path: file, code: codeOf(error) }, 'the alias file cannot be used');
    }
  }

  return {
    parseWindow,
    aliases: () => aliases,
    async load(ref, validators, signal) {
      const next = join(folder, `${ref.id}.next`);
      await disk.mkdir(folder, 0o700);
      await loadAliases();
      const fetched = await fetchSource(ref, validators, next, {
        disk,
        transport: doors.transport,
        userAgent: config.sources.userAgent,
        signal,
      });
      const at = clock.now();
      if (fetched.kind === 'unchanged') return 'unchanged';
      const base = { sourceId: ref.id, validators: fetched.validators, at };
      if (ref.kind === 'xmltv') {
        const guide = await parseWindow(next);
        const { skipped: _, ...counts } = guide.counts;
        return { ...base, list: null, guide, counts };
      }
      const { bytes } = await disk.stat(next);
      if (bytes > LIST_BYTES_MAX)
        throw new CodedError('list_unreadable', `larger than ${LIST_BYTES_MAX} bytes`);
      const parse = ref.kind === 'catalog' ? parseCatalog : parseM3u;
      const list = parse(await disk.readFile(next), {
        source: ref.id,
        includeAdult: config.what.includeAdult,
      });
      return { ...base, list, guide: null, counts: listCounts(list) };
    },
  };
}

export function codeOf(error: unknown): string {
  return error instanceof CodedError ? error.code : diskCode(error);
}

/** Names the place whatever the parser said, without its login, and without what would upset a terminal. */
export function detailOf(ref: SourceRef, { detail }: CodedError): string {
  const place = shownLocation(ref);
  const said = redactText(detail).replace(/\p{C}/gu, '?');
  return said.includes(place) ? said : `${place}: ${said}`;
}
