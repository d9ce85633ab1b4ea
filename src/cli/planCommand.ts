/** `plan` and `why`: the very decisions that the scheduler acts on, for all programmes or for those that match. */

import { CodedError } from '../domain/errors.js';
import { OUTCOME_REASONS } from '../domain/outcomeReasons.js';
import { PLAN_REASONS } from '../domain/reasons.js';
import { rfc3339 } from '../domain/text.js';
import type { Decision } from '../domain/plan.js';
import type { Entry } from '../runtime/book.js';
import { shownLocation } from '../guide/fetchSource.js';
import type { Survey } from '../runtime/survey.js';
import type { Session } from './session.js';
import { localTime, table } from './table.js';
import { withSurvey } from './withSurvey.js';

export function planCommand(session: Session): Promise<number> {
  return withSurvey(session, (found) => {
    sayProblems(session, found);
    if (found.outlook.decisions.length === 0) refuseNothing(session, found);
    // Rows beyond the horizon are looked at only so that a programme that moved there is seen to have moved.
    const within = found.outlook.decisions.filter(({ reason }) => reason !== 'beyond_horizon');
    const decisions = within.map(shown);
    if (session.loaded.answer.format === 'json')
      session.say(`${JSON.stringify({ generated_at: rfc3339(found.at), decisions }, null, 2)}\n`);
    else session.say(decisionTable(within));
    return 0;
  });
}

/** An empty answer because nothing could be read is no answer. */
function refuseNothing({ loaded }: Session, { findings, guide }: Survey): void {
  const places = (kind: 'guide' | 'list') =>
    findings.flatMap(({ ref, problem }) =>
      problem && (kind === 'guide') === (ref.kind === 'xmltv') ? [problem.detail] : [],
    );
  if (guide.guides.length === 0)
    throw new CodedError('no_guide', places('guide').join('; ') || 'no guide is named');
  if (guide.channels.length === 0 && loaded.config.sources.streamBaseUrl === null)
    throw new CodedError('no_list', places('list').join('; ') || 'the lists are empty');
}

export function why(session: Session): Promise<number> {
  const query = session.loaded.args.join(' ').trim().toLowerCase();
  return withSurvey(session, (found) => {
    sayProblems(session, found);
    const decisions = found.outlook.decisions.filter((decision) => matches(decision, query));
    const recordings = found.entries.filter((entry) => matchesEntry(entry, query));
    const gone = found.tombstones.filter(
      ({ id, normTitle }) => id.startsWith(query) || normTitle.includes(query),
    );
    if (session.loaded.answer.format === 'json')
      session.say(
        `${JSON.stringify(
          {
            generated_at: rfc3339(found.at),
            decisions: decisions.map(shown),
            recordings: recordings.map(shownEntry),
            removed: gone.map(({ id, normTitle, reason, at }) => ({
              id,
              title: normTitle,
              reason,
              at: rfc3339(at),
            })),
          },
          null,
          2,
        )}\n`,
      );
    else {
      if (decisions.length > 0) session.say(decisionTable(decisions));
      for (const entry of recordings) session.say(`${story(entry)}\n`);
      for (const { id, normTitle, reason, at } of gone)
        session.say(`${id}  ${normTitle}: removed ${localTime(at)} (${reason}); it is not recorded again\n`);
      if (decisions.length + recordings.length + gone.length === 0)
        session.say(`nothing in the guide or the state matches "${query}"\n`);
    }
    return decisions.length + recordings.length + gone.length > 0 ? 0 : 1;
  });
}

function sayProblems({ log }: Session, found: Survey): void {
  for (const { ref, problem } of found.findings)
    if (problem) log.warn({ source: shownLocation(ref), ...problem }, 'a source could not be loaded');
}

/** CONTRACT §1. A move or a new stop is still a recording. */
function shown(decision: Decision) {
  const { capsule, priority, expiresAt, reason } = decision;
  return {
    capsule_id: capsule.capsuleId,
    record_key: capsule.recordKey,
    title: capsule.title,
    channel_id: capsule.channelId,
    channel_name: capsule.channelName,
    lane: capsule.lane,
    start: rfc3339(capsule.startAt),
    stop: rfc3339(capsule.stopAt),
    action: actionOf(decision),
    reason,
    priority,
    expires_at: rfc3339(expiresAt),
  };
}

const PLANNED_ALREADY: ReadonlySet<string> = new Set(['already_scheduled', 'already_recording']);

function actionOf({ action, reason }: Decision): 'record' | 'skip' {
  if (action === 'skip') return PLANNED_ALREADY.has(reason) ? 'record' : 'skip';
  return action === 'drop' ? 'skip' : 'record';
}

function decisionTable(decisions: readonly Decision[]): string {
  const rows = decisions.map((decision) => [
    localTime(decision.capsule.startAt),
    actionOf(decision),
    decision.capsule.lane,
    decision.capsule.channelName,
    decision.capsule.title,
    decision.reason,
    PLAN_REASONS[decision.reason],
  ]);
  return table(['start', 'action', 'lane', 'channel', 'title', 'reason', ''], rows);
}

function matches({ capsule, recordingId }: Decision, query: string): boolean {
  return (
    recordingId?.startsWith(query) === true ||
    capsule.capsuleId.toLowerCase() === query ||
    [capsule.title, capsule.channelName].some((text) => text.toLowerCase().includes(query)) ||
    [capsule.channelId, capsule.guideNumber, capsule.dnaId].some((text) => text.toLowerCase() === query)
  );
}

function matchesEntry({ id, recording: { capsule } }: Entry, query: string): boolean {
  return (
    id.startsWith(query) ||
    capsule.capsuleId.toLowerCase() === query ||
    [capsule.title, capsule.channelName].some((text) => text.toLowerCase().includes(query)) ||
    [capsule.channelId, capsule.dnaId].some((text) => text.toLowerCase() === query)
  );
}

function shownEntry({ id, recording, path }: Entry) {
  const { capsule, result } = recording;
  return {
    id,
    title: capsule.title,
    channel_name: capsule.channelName,
    start: rfc3339(recording.window.startAt),
    stop: rfc3339(recording.window.stopAt),
    machine_state: path.split('.')[0],
    decided_by: recording.reason,
    waiting: recording.waiting,
    last_fault: recording.lastFault,
    outcome: result?.outcome ?? null,
    outcome_reason: result?.reason ?? null,
    cancel_reason: recording.cancelReason,
    evicted_by: recording.evictedBy,
  };
}

function story({ id, recording, path }: Entry): string {
  const { capsule, result, waiting, lastFault, cancelReason } = recording;
  const parts = [
    `${id}  ${capsule.title} on ${capsule.channelName}, ${localTime(recording.window.startAt)}: ${path}`,
    `    recorded because: ${recording.reason}`,
    waiting ? `    waits for: ${waiting}` : '',
    lastFault ? `    last fault: ${lastFault.cause} (${lastFault.code}) at ${localTime(lastFault.at)}` : '',
    cancelReason ? `    cancelled because: ${cancelReason}` : '',
    result ? `    outcome: ${result.outcome}${result.reason ? `, ${explained(result.reason)}` : ''}` : '',
  ];
  return parts.filter((part) => part !== '').join('\n');
}

function explained(reason: string): string {
  const meaning = OUTCOME_REASONS[reason as keyof typeof OUTCOME_REASONS] as string | undefined;
  return meaning ? `${reason}: ${meaning}` : reason;
}
