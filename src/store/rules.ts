/** The rules file of iptv-tunerr (PROTOCOLS §1.9), read only. What cannot be read as a whole asks for nothing. */

import { z } from 'zod';
import { CodedError } from '../domain/errors.js';
import type { Rule, RuleTime } from '../domain/rules.js';

const texts = z.array(z.string()).nullish();
const time = z
  .string()
  .transform((text, context): RuleTime | null => {
    const trimmed = text.trim();
    if (trimmed === '') return null;
    const daily = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(trimmed);
    if (daily) return { kind: 'daily', ms: (Number(daily[1]) * 60 + Number(daily[2])) * 60_000 };
    const at = Date.parse(trimmed);
    if (!Number.isNaN(at)) return { kind: 'moment', at };
    context.addIssue({ code: 'custom', message: 'is no time' });
    return z.NEVER;
  })
  .nullish();
const rule = z.object({
  id: z.string().default(''),
  name: z.string().default(''),
  enabled: z.boolean().default(true),
  include_lanes: texts,
  include_channel_ids: texts,
  include_guide_numbers: texts,
  include_categories: texts,
  states: texts,
  title_contains: z.string().nullish(),
  title_equals: z.string().nullish(),
  start_after: time,
  start_before: time,
});
const file = z.object({ version: z.literal(1), rules: z.array(rule) });

/** The enabled rules. Throws `rules_unreadable`. `include_tvg_ids` is not evaluated, there as here. */
export function parseRules(text: string, place: string): readonly Rule[] {
  let json: unknown;
  try {
    json = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    throw new CodedError('rules_unreadable', `${place}: no JSON`);
  }
  const parsed = file.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new CodedError(
      'rules_unreadable',
      `${place}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`,
    );
  }
  return parsed.data.rules.flatMap((each): Rule[] => {
    if (!each.enabled) return [];
    return [
      {
        id: each.id,
        name: each.name,
        lanes: each.include_lanes ?? [],
        channelIds: each.include_channel_ids ?? [],
        guideNumbers: each.include_guide_numbers ?? [],
        categories: each.include_categories ?? [],
        states: each.states ?? [],
        titleContains: each.title_contains ?? '',
        titleEquals: each.title_equals ?? '',
        startAfter: each.start_after ?? null,
        startBefore: each.start_before ?? null,
      },
    ];
  });
}
