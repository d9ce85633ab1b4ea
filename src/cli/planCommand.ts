/** `plan` and `why`: the very decisions that the scheduler acts on, for all programmes or for those that match. */

import { join } from 'node:path';
import { CodedError } from '../domain/errors.js';
import { OUTCOME_REASONS } from '../domain/outcomeReasons.js';
import type { Conflict } from '../domain/forecast.js';
import { PLAN_REASONS } from '../domain/reasons.js';
import { rfc3339 } from '../domain/text.js';
import type { Decision } from '../domain/plan.js';
import type { Entry } from '../runtime/entries.js';
import {
  findWhy,
  shownAction,
  shownDecision,
  shownWhy,
  withinHorizon,
  withPast,
} from '../runtime/decisionsView.js';
import { shownLocation } from '../guide/fetchSource.js';
import { rankingLines, rankingView, type RankingView } from '../runtime/rankingView.js';
import { pastDecisions } from '../runtime/pastGuide.js';
import type { Survey } from '../runtime/survey.js';
import { sayDeletions } from './deletions.js';
import type { Session } from './session.js';
import { localTime, table } from './table.js';
import { withSurvey } from './withSurvey.js';

export function planCommand(session: Session): Promise<number> {
  return withSurvey(session, (found) => {
    sayProblems(session, found);
    if (session.loaded.answer.deletions) {
      sayDeletions(session, found);
      return 0;
    }
    if (found.outlook.decisions.length === 0) refuseNothing(session, found);
    const within = withinHorizon(found.outlook.decisions);
    const decisions = within.map((decision) =>
      shownDecision(decision, found.outlook.conflicts.get(decision)),
    );
    if (session.loaded.answer.format === 'json')
      session.say(`${JSON.stringify({ generated_at: rfc3339(found.at), decisions }, null, 2)}\n`);
    else session.say(decisionTable(within, found));
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
  const query = session.loaded.args.join(' ').trim();
  return withSurvey(session, async (survey, { disk }) => {
    sayProblems(session, survey);
    const folder = join(session.loaded.config.places.outDir, '.catchupd');
    const past = await pastDecisions(disk, folder, query);
    const decided = withPast(survey.outlook.decisions, past, survey.entries);
    const found = findWhy(query, { ...survey, decisions: decided });
    const { decisions, entries, gone } = found;
    const isEmpty = decisions.length + entries.length + gone.length === 0;
    if (session.loaded.answer.format === 'json')
      session.say(
        `${JSON.stringify(shownWhy(found, survey.at, survey.ranking, survey.outlook.conflicts), null, 2)}\n`,
      );
    else {
      if (decisions.length > 0) session.say(decisionTable(decisions, survey));
      for (const { capsule } of decisions)
        sayRanking(
          session,
          `${capsule.title} on ${capsule.channelName}`,
          rankingView(survey.ranking, capsule),
        );
      for (const entry of entries) {
        const { recording } = entry;
        session.say(`${story(entry)}\n`);
        sayRanking(session, entry.id, rankingView(survey.ranking, recording.capsule, recording));
      }
      for (const { id, normTitle, reason, at } of gone)
        session.say(`${id}  ${normTitle}: removed ${localTime(at)} (${reason}); it is not recorded again\n`);
      if (isEmpty) session.say(`nothing in the guide or the state matches "${query}"\n`);
    }
    return isEmpty ? 1 : 0;
  });
}

function sayProblems({ log }: Session, found: Survey): void {
  for (const { ref, problem } of found.findings)
    if (problem) log.warn({ source: shownLocation(ref), ...problem }, 'a source could not be loaded');
}

function sayRanking(session: Session, of: string, ranking: RankingView): void {
  if (ranking.length === 0) return;
  session.say(`${of}: asked in this order\n${rankingLines(ranking).join('\n')}\n`);
}

function decisionTable(decisions: readonly Decision[], { outlook: { conflicts } }: Survey): string {
  const rows = decisions.map((decision) => {
    const conflict = conflicts.get(decision);
    const { reason } = decision;
    return [
      localTime(decision.capsule.startAt),
      shownAction(decision),
      decision.capsule.lane,
      decision.capsule.channelName,
      decision.capsule.title,
      reason,
      conflict ? explainedConflict(conflict) : PLAN_REASONS[reason],
    ];
  });
  return table(['start', 'action', 'lane', 'channel', 'title', 'reason', ''], rows);
}

function explainedConflict({ lostMs, firstAt, winners, again }: Conflict): string {
  const names = winners.map(({ title, channelName }) => `${title} on ${channelName}`).join(', ');
  const next = again ? `; again ${localTime(again.startAt)} on ${again.channelName}` : '';
  return `Loses ${Math.ceil(lostMs / 60_000)} min from ${localTime(firstAt)} to ${names}${next}.`;
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
