/** From the address of a list or guide to what it says, parsed and counted; judging and adopting it is done elsewhere. */

import { join } from 'node:path';
import type { Config } from '../config/config.js';
import type { SourceRef } from '../domain/channel.js';
import { CodedError } from '../domain/errors.js';
import { listCounts, type GateCounts } from '../domain/gate.js';
import type { Aliases } from '../domain/match.js';
import type { PanelFacts, PanelLogin } from '../domain/panel.js';
import type { ListData } from '../domain/programme.js';
import { redactText } from '../domain/redact.js';
import { parseAliases } from '../guide/aliases.js';
import {
  fetchSource,
  isAddress,
  NO_VALIDATORS,
  shownLocation,
  type Validators,
} from '../guide/fetchSource.js';
import { askPanel, loadXtream, withPanel } from '../guide/loadXtream.js';
import { isPanelList, xtreamLogin } from '../guide/xtreamLogin.js';
import { diskCode } from '../io/disk.js';
import type { Doors } from './doors.js';
import type { KeptGuide } from './planner.js';

/** Programmes are kept this far past the horizon, so that the plan sees successors and moves. */
const MARGIN_MS = 24 * 3_600_000;
/** A file with the address of a panel in it is a line, not a list. */
const ADDRESS_BYTES_MAX = 64 * 1024;

export interface Loaded {
  readonly sourceId: string;
  readonly validators: Validators;
  readonly counts: GateCounts;
  readonly list: ListData | null;
  readonly guide: KeptGuide | null;
  readonly at: number;
}

export interface SourceLoading {
  /**
   * Throws CodedError where the source cannot be read. What it fetched lies in `<id>.next`. `beside` is the guide in
   * use of this source, by its number.
   */
  load(
    ref: SourceRef,
    validators: Validators,
    beside: number | null,
    signal: AbortSignal,
  ): Promise<Loaded | 'unchanged'>;
  /** Has the planner keep the programmes of a file around now. */
  readWindow(file: string): Promise<KeptGuide>;
  /** What the panel behind a list says of its account just now; null where there is none, or no answer. */
  facts(ref: SourceRef, signal: AbortSignal): Promise<PanelFacts | null>;
  aliases(): Aliases | undefined;
}

/** `folder` is where copies of sources are kept. */
export function createSourceLoading(config: Config, folder: string, doors: Doors): SourceLoading {
  const { disk, clock, log } = doors;
  let aliases: Aliases | undefined;

  function readWindow(file: string, beside: number | null = null): Promise<KeptGuide> {
    const now = clock.now();
    const window = { fromAt: now - MARGIN_MS, toAt: now + config.what.horizonMs + MARGIN_MS };
    return doors.planner.read({ path: file, ...window, timezone: config.sources.guideTimezone }, beside);
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

  /** The login of a panel: its address says it, or the first line of a file that nobody else reads. */
  async function loginOf(ref: SourceRef): Promise<PanelLogin> {
    const address = isAddress(ref.location) ? ref.location : await addressIn(ref.location);
    const login = xtreamLogin(address);
    if (login === null) throw new CodedError('list_not_xtream', 'there is no address with a login');
    return login;
  }

  async function addressIn(path: string): Promise<string> {
    try {
      const { bytes } = await disk.stat(path);
      const text = bytes > ADDRESS_BYTES_MAX ? '' : (await disk.readFile(path)).toString();
      return (
        text
          .split(/\r?\n/)
          .find((line) => /^\s*https?:/i.test(line))
          ?.trim() ?? ''
      );
    } catch (error) {
      throw new CodedError('list_unreadable', `${path}: ${diskCode(error)}`);
    }
  }

  /** Panels say of nothing whether it changed: they are asked whenever it is time. */
  async function loadPanel(ref: SourceRef, next: string, signal: AbortSignal): Promise<Loaded> {
    const login = await loginOf(ref);
    const options = { source: ref.id, includeAdult: config.what.includeAdult };
    const list = await loadXtream(ref, login, options, next, { ...fetching(signal), parse: doors.parse });
    return {
      sourceId: ref.id,
      validators: NO_VALIDATORS,
      counts: listCounts(list),
      list,
      guide: null,
      at: clock.now(),
    };
  }

  /** A list that a panel makes: what the panel says of the account belongs to it, where it says so. */
  async function withAccount(ref: SourceRef, list: ListData, signal: AbortSignal): Promise<ListData> {
    const login = isPanelList(ref.location) ? xtreamLogin(ref.location) : null;
    if (login === null) return list;
    const facts = await askPanel(ref, login, fetching(signal)).catch(() => null);
    return withPanel(list, login, facts);
  }

  function fetching(signal: AbortSignal) {
    return { disk, transport: doors.transport, userAgent: config.sources.userAgent, signal };
  }

  return {
    readWindow,
    aliases: () => aliases,
    async facts(ref, signal) {
      const { location } = ref;
      if (ref.kind !== 'xtream' && !isPanelList(location)) return null;
      return askPanel(ref, await loginOf(ref), fetching(signal)).catch(() => null);
    },
    async load(ref, validators, beside, signal) {
      const next = join(folder, `${ref.id}.next`);
      await disk.mkdir(folder, 0o700).catch((error: unknown) => {
        // Its disk is gone, or cannot be written: that is the source's trouble and nobody's bug.
        const code = ref.kind === 'xmltv' ? 'guide_unreadable' : 'list_unreadable';
        throw new CodedError(code, `${folder} cannot be written (${diskCode(error)})`);
      });
      await loadAliases();
      if (ref.kind === 'xtream') return loadPanel(ref, next, signal);
      const fetched = await fetchSource(ref, validators, next, fetching(signal));
      const at = clock.now();
      if (fetched.kind === 'unchanged') return 'unchanged';
      const base = { sourceId: ref.id, validators: fetched.validators, at };
      if (ref.kind === 'xmltv') {
        const guide = await readWindow(next, beside);
        const { skipped: _, ...all } = guide.counts;
        const counts = { ...all, ...(guide.shiftMs !== 0 && { shiftMs: guide.shiftMs }) };
        return { ...base, list: null, guide, counts };
      }
      const file = { path: next, source: ref.id, includeAdult: config.what.includeAdult };
      const list = await withAccount(ref, await doors.parse.list({ ...file, kind: ref.kind }), signal);
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
