/**
 * `lane-definitions` of the config file: from what YAML holds to lanes as data. Every value is the text that was
 * written, so durations, sizes and counts are read as they are in options.
 */
import { z } from 'zod';
import { SHARE_MS_MAX, type PaddingLength } from '../domain/lane.js';
import type { LaneDefinition, LaneMatch, LanePatterns } from '../domain/laneDefinition.js';
import { LIBRARY_KINDS } from '../domain/libraryKind.js';
import { parseCount, parseDuration, parseShare, parseSize } from '../domain/quantity.js';
import type { Plain, Problem } from './file.js';
import { LANES } from './optionRow.js';

const FIELDS = ['category', 'title', 'group', 'channel'] as const;

const name = z
  .string()
  .transform((text) => text.trim().toLowerCase())
  .refine((text) => /^[a-z0-9][a-z0-9_-]{0,31}$/.test(text), {
    message: 'is no name of a lane: letters, digits, - and _, at most 32',
  });

/** One pattern or a list of them. */
const patterns = z
  .union([z.string(), z.array(z.string())])
  .transform((texts) => (typeof texts === 'string' ? [texts] : texts))
  .default([]);

function read<T>(parse: (text: string) => T | null, hint: string) {
  return z
    .string()
    .transform((text, context) => {
      const value = parse(text);
      if (value !== null) return value;
      context.addIssue({ code: 'custom', message: `is not understood; write it as ${hint}` });
      return z.NEVER;
    })
    .optional();
}

const length = read(parseLength, '5m or 20%');
const fields = { category: patterns, title: patterns, group: patterns, channel: patterns };
const excluded = z.strictObject(fields).optional();
const match = z
  .strictObject({ ...fields, exclude: excluded })
  .refine((given) => FIELDS.some((field) => given[field].length > 0), {
    message: `names no pattern of ${FIELDS.join(', ')}; "*" takes everything`,
  });
const definition = z
  .strictObject({
    name,
    match: z.preprocess((value) => (isOne(value) ? [value] : value), z.array(match).optional()),
    priority: read(parseCount, '25'),
    // One value alone is for the end, where programmes overrun.
    padding: z.preprocess(
      (value) => (typeof value === 'string' ? { after: value } : value),
      z.strictObject({ before: length, after: length }).optional(),
    ),
    keep: read(parseDuration, '72h or 7d'),
    count: read(parseCount, '50'),
    bytes: read(parseSize, '20GiB'),
    concurrency: read(parseCount, '1'),
    kind: z.enum(LIBRARY_KINDS, { error: `is one of ${LIBRARY_KINDS.join(', ')}` }).optional(),
  })
  .refine((given) => given.match !== undefined || (LANES as readonly string[]).includes(given.name), {
    message: 'has no match, so nothing would ever come into it',
    path: ['match'],
  });

function isOne(value: unknown): boolean {
  return value !== undefined && !Array.isArray(value);
}

/** `where` is how messages call the place. */
export function readLaneDefinitions(
  value: Plain,
  where: string,
): { readonly lanes: readonly LaneDefinition[]; readonly problems: readonly Problem[] } {
  const list = z.array(z.unknown()).safeParse(value ?? []);
  if (!list.success)
    return { lanes: [], problems: [{ origin: where, message: 'is a list of lanes, each with a name' }] };
  const problems: Problem[] = [];
  const lanes: LaneDefinition[] = [];
  list.data.forEach((item, index) => {
    const result = definition.safeParse(item);
    const called = calledOf(item) ?? `${index + 1}`;
    if (!result.success)
      for (const issue of result.error.issues)
        problems.push({ origin: [where, called, ...issue.path].join(' '), message: issue.message });
    else if (lanes.some((lane) => lane.name === result.data.name))
      problems.push({ origin: `${where} ${called}`, message: 'is there twice; give match a list instead' });
    else lanes.push(laneOf(result.data));
  });
  return { lanes, problems };
}

function calledOf(item: unknown): string | null {
  const read = z.object({ name: z.string() }).safeParse(item);
  return read.success ? read.data.name : null;
}

function laneOf(given: z.infer<typeof definition>): LaneDefinition {
  return {
    name: given.name,
    match: (given.match ?? []).map(matchOf),
    priority: given.priority ?? null,
    padding: { before: given.padding?.before ?? null, after: given.padding?.after ?? null },
    keepMs: given.keep ?? null,
    completedMax: given.count ?? null,
    bytesMax: given.bytes ?? null,
    concurrencyMax: given.concurrency ?? null,
    kind: given.kind ?? null,
  };
}

/** A pattern that begins with `!` leaves out, as one under `exclude` does. */
function matchOf({ exclude, ...given }: z.infer<typeof match>): LaneMatch {
  const wanted = (field: (typeof FIELDS)[number]) => given[field].filter((text) => !text.startsWith('!'));
  const unwanted = (field: (typeof FIELDS)[number]) => [
    ...(exclude?.[field] ?? []),
    ...given[field].flatMap((text) => (text.startsWith('!') ? [text.slice(1)] : [])),
  ];
  return { ...everyField(wanted), exclude: everyField(unwanted) };
}

function everyField(of: (field: (typeof FIELDS)[number]) => string[]): LanePatterns {
  return { category: of('category'), title: of('title'), group: of('group'), channel: of('channel') };
}

function parseLength(text: string): PaddingLength | null {
  const share = text.includes('%') ? parseShare(text) : null;
  if (share !== null) return { kind: 'share', share, msMax: SHARE_MS_MAX };
  const ms = parseDuration(text);
  return ms === null ? null : { kind: 'time', ms };
}
