/** The outcome table: every reason a recording's outcome can have, and what it means (P4, P10). See docs/errors.md. */

export const OUTCOME_REASONS = {
  not_started:
    'Its time passed before capture could begin; catchupd was not running, or learned of it too late.',
  slots_full: 'No connection of the account was free until it ended.',
  bandwidth: 'The line was full (--max-bandwidth) until it ended.',
  disk_floor: 'Too little disk space was free to begin.',
  state_unwritable: 'The state could not be written, so nothing new was begun.',
  no_upstream: 'There was no address left to ask.',
  nothing_came: 'Every address was asked and none gave any media.',
  joined_in_progress: 'It was under way when it was first seen; its beginning was over.',
  started_late: 'Media began more than 3 s after its start.',
  ended_early: 'Media ended more than 3 s before its stop.',
  cancelled: 'It was cancelled while it ran; what was captured is kept.',
  interrupted: 'catchupd was not running when it ended.',
  gave_up: 'The number of attempts that --record-max-attempts allows was used up.',
  max_duration: 'It is longer than --max-duration allows.',
  gaps: 'A piece of half a second or more is missing in its middle; the ledger says which and why.',
  damaged: 'Its file does not begin as a transport stream does; players may refuse it.',
} as const;

export type OutcomeReason = keyof typeof OUTCOME_REASONS;
