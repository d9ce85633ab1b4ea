/**
 * What a person may want to be told of, and the words it is told in. Pure. The facts are the fields that the report has
 * (CONTRACT §3), so that whoever reads one can read the other; no address with a login is in them.
 */
import { ERRORS } from './errors.js';
import type { JsonValue } from './json.js';
import { OUTCOME_REASONS } from './outcomeReasons.js';
import type { ReportItem } from './reportItem.js';
import { rfc3339 } from './text.js';

export const NOTICE_EVENTS = [
  'published',
  'partial',
  'failed',
  'missed',
  'disk',
  'guide_held',
  'server_refused',
] as const;
export type NoticeEvent = (typeof NOTICE_EVENTS)[number];

export interface Notice {
  /** The word that says most of it first; whoever asked for any of them is told once. */
  readonly events: readonly [NoticeEvent, ...NoticeEvent[]];
  readonly title: string;
  readonly text: string;
  readonly facts: Readonly<Record<string, JsonValue>>;
}

/** An item of the report; what it has only once it has ended may be absent. */
export type NoticedItem = ReportItem & {
  readonly outcome?: string;
  readonly outcome_reason?: string;
  readonly coverage?: number;
};

/** Of a recording that has just ended, one way or another; null where that is no news. */
export function recordingNotice(item: NoticedItem): Notice | null {
  const facts = { recording: item as unknown as JsonValue };
  const text = [
    item.channel_name ?? item.channel_id,
    item.start.slice(0, 16).replace('T', ' ') + ' UTC',
    ...(item.coverage === undefined ? [] : [`${Math.round(item.coverage * 100)} %`]),
    ...(item.gap_count > 0 ? [`${item.gap_count} gaps, ${Math.round(item.gap_seconds)} s`] : []),
    ...meaningOf(item.outcome_reason ?? item.error ?? ''),
  ].join(' · ');
  switch (item.machine_state) {
    case 'published':
      return item.outcome === 'partial'
        ? { events: ['partial', 'published'], title: `Recorded in part: ${item.title}`, text, facts }
        : { events: ['published'], title: `Recorded: ${item.title}`, text, facts };
    case 'failed':
    case 'quarantined':
      return item.outcome === 'missed'
        ? { events: ['missed', 'failed'], title: `Missed: ${item.title}`, text, facts }
        : { events: ['failed'], title: `Failed: ${item.title}`, text, facts };
    default:
      return null;
  }
}

/** Nothing new starts, for a reason of the disk; null is "all is well again". */
export function diskNotice(code: string | null): Notice {
  if (code === null)
    return { events: ['disk'], title: 'New recordings start again', text: '', facts: { resolved: true } };
  const text = meaningOf(code).join('');
  return { events: ['disk'], title: 'Nothing new starts', text, facts: { code, resolved: false } };
}

export function guideNotice(source: string, reason: string): Notice {
  const text = `${source}: ${reason}. The last good one stays in use.`;
  return { events: ['guide_held'], title: 'A guide is held back', text, facts: { source, reason } };
}

export function refusedNotice(server: string, detail: string): Notice {
  const text = `${server}: ${detail}. ${ERRORS.server_refused.hint}`;
  return { events: ['server_refused'], title: 'A server refuses our token', text, facts: { server, detail } };
}

/** The event under which somebody who asked for these is told, or null; asking for none is asking for all. */
export function eventFor(notice: Notice, wanted: readonly NoticeEvent[]): NoticeEvent | null {
  if (wanted.length === 0) return notice.events[0];
  return notice.events.find((event) => wanted.includes(event)) ?? null;
}

/** What is sent, less the number of the delivery. */
export function noticeBody(
  notice: Notice,
  event: NoticeEvent,
  at: number,
): Readonly<Record<string, JsonValue>> {
  const { title, text, facts } = notice;
  return { event, at: rfc3339(at), title, text, ...facts };
}

function meaningOf(code: string): readonly string[] {
  if (code === '') return [];
  const errors: Readonly<Record<string, { readonly meaning: string }>> = ERRORS;
  const reasons: Readonly<Record<string, string>> = OUTCOME_REASONS;
  return [reasons[code] ?? errors[code]?.meaning ?? code];
}
