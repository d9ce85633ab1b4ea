/** What `doctor` says of lists that are huge and of channels that no guide knows, with the lines to paste. */

import { aliasAdvice, groupPattern, shellQuoted, UNFILTERED_MAX, wideOpen } from '../domain/advice.js';
import type { FilterPolicy } from '../domain/filters.js';
import type { Survey } from '../runtime/survey.js';

const GROUPS_NAMED = 2;

export interface Advice {
  readonly check: string;
  readonly detail: string;
  readonly next: string;
}

export function sourceAdvice({ guide }: Survey, policy: FilterPolicy): readonly Advice[] {
  return [...groupAdvice(guide, policy), ...unmatchedAdvice(guide)];
}

function groupAdvice({ channels }: Survey['guide'], policy: FilterPolicy): readonly Advice[] {
  const groups = wideOpen(channels, policy);
  if (groups === null) return [];
  const lines = groups.map(({ group, channels: count }) => `  ${count} in ${group || 'no group'}`);
  const named = groups
    .flatMap(({ group }) => (group === '' ? [] : groupPattern(group)))
    .slice(0, GROUPS_NAMED);
  const option = `--groups=${shellQuoted(named.join(','))}`;
  const line = `groups: ${JSON.stringify(named)}`;
  const paste = [`to record from some of them only: ${option}`, `or in the config file: ${line}`];
  return [
    {
      check: 'choice',
      detail: `${channels.length} channels and no choice among them; over ${UNFILTERED_MAX} that is seldom meant`,
      next: ['the largest groups are', ...lines, ...(named.length > 0 ? paste : [])].join('\n'),
    },
  ];
}

function unmatchedAdvice({ channels, guides, aliases }: Survey['guide']): readonly Advice[] {
  const known = guides.flatMap((each) => each.channels);
  if (known.length === 0) return [];
  const { unmatched, pairs } = aliasAdvice(channels, known, aliases);
  if (unmatched === 0) return [];
  const entries = pairs.map(({ name, guideId }) => `${JSON.stringify(name)}: ${JSON.stringify(guideId)}`);
  const file = `{"name_to_xmltv_id": {\n  ${entries.join(',\n  ')}\n}}`;
  return [
    {
      check: 'unmatched',
      detail: `${unmatched} of ${channels.length} channels are in no guide, so nothing of them is recorded`,
      next: entries.length === 0 ? '' : `where these are meant, put them into a file for --aliases:\n${file}`,
    },
  ];
}
