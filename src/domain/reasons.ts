/**
 * The plan table: every reason a decision about a programme can have, and what it means (P10). `catchupd plan`, `why`
 * and docs/errors.md speak these words.
 */

export const PLAN_REASONS = {
  in_progress: 'It is on now and wanted: recording starts at once.',
  starting_soon: 'It is wanted and its capture is due.',
  scheduled: 'It is wanted and comes later.',
  wanted: 'A person asked for it, whatever the policy says.',

  lane_excluded: 'Its lane is not among --lanes, or is among --exclude-lanes.',
  channel_excluded: 'Its channel is not among --channels, or is among --exclude-channels.',
  group_excluded: "Its channel's group is not among --groups, or is among --exclude-groups.",
  no_rule: 'No enabled rule of --rules asks for it (--rules-only).',
  rules_unreadable: 'The file of --rules cannot be read, so nothing is recorded.',
  already_scheduled: 'It is scheduled already.',
  already_recording: 'It is being recorded.',
  already_recorded: 'It was recorded, or tried, before; the same programme is never recorded twice.',
  skipped: 'A person asked for it not to be recorded.',
  repeat: 'The same episode is recorded at another time or on another channel, or was.',
  removed: 'It was recorded and a person removed it.',
  placeholder: "The channel's guide holds nothing but its own name (--guide-policy).",
  unlinked: 'The channel has no XMLTV id of its own (--guide-policy strict).',
  too_long: 'It is longer than 12 hours, which is a filler, not a programme.',
  too_little_left: 'Too little of it is still to come (--join-min-left).',
  over: 'It ends now.',
  conflict:
    'All connections, or those of its lane, will be taken by programmes of higher rank; it is recorded where one comes free after all.',
  over_limit: 'It comes after the number of programmes that --limit allows.',
  beyond_horizon: 'It starts later than the horizon.',
  no_upstream: 'No list has an address for its channel.',

  moved: 'The guide moved it.',
  retitled: 'The guide gave it another title or episode.',
  stop_later: 'The guide lets it end later.',
  stop_earlier: 'The guide lets it end earlier.',
  details_changed: 'The guide or the list says more or other things about it.',

  gone: 'The guide no longer has it and shows something else at its time.',
} as const;

export type PlanReason = keyof typeof PLAN_REASONS;
