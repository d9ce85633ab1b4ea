import { describe, expect, it } from 'vitest';

import { buildReport, type ListedRecording } from '../../src/domain/report.js';
import { reportItem, type MachineState, type ReportedRecording } from '../../src/domain/reportItem.js';
import { gistOf } from '../../src/domain/gist.js';
import type { Recording } from '../../src/domain/recording.js';
import { aCapsule, aRecording, START, STOP } from './aRecording.js';

const options = {
  now: STOP + 3_600_000,
  limit: 10,
  stateFile: '/out/recorder-state.json',
  rootDir: '/out',
  budgetBytesPerLane: {},
  held: [],
};

const reported = (state: MachineState, over: Partial<Recording> = {}): ReportedRecording => ({
  recording: aRecording(over),
  state,
  updatedAt: STOP,
});

const listed = (one: ReportedRecording): ListedRecording => ({
  id: one.recording.id,
  gist: gistOf(one.recording, one.state === 'published'),
  state: one.state,
  updatedAt: one.updatedAt,
  whole: () => one,
});

const result = {
  outcome: 'complete_with_gaps',
  reason: 'gaps',
  coverage: 0.99,
  gaps: [{ fromAt: START + 1000, toAt: START + 7000, cause: 'stall' }],
  bytes: 1000,
  finishedAt: STOP + 60_000,
} as const;

const media = {
  folder: '/media/sports/x',
  media: '/media/sports/x/x.ts',
  nfo: '/media/sports/x/x.nfo',
  ledger: '/media/sports/x/x.catchupd.json',
  ownsFolder: true,
};

describe('an item of the report', () => {
  it('shows a published recording whole', () => {
    expect(reportItem(reported('published', { result, files: media }))).toEqual({
      id: '1a2b3c4d',
      capsule_id: 'dna-6398cc29ed163b32:202611231930:man-utd-vs-city',
      record_key: 'dna-6398cc29ed163b32|2026-11-23t19:30:00z|man utd vs city',
      dna_id: 'dna-6398cc29ed163b32',
      channel_id: 'bbc1',
      guide_number: '101',
      channel_name: 'BBC One',
      title: 'Man Utd vs City',
      lane: 'sports',
      state: 'ready',
      machine_state: 'published',
      status: 'completed',
      start: '2026-11-23T19:30:00Z',
      stop: '2026-11-23T19:40:00Z',
      expires_at: '2026-11-24T07:40:00Z',
      priority: 30,
      keep: false,
      reason: 'starting_soon',
      source_url: 'm3u-1/bbc1#0',
      output_path: media.media,
      published_dir: media.folder,
      published_path: media.media,
      nfo_path: media.nfo,
      scheduled_for: '2026-11-23T19:29:45Z',
      started_at: '2026-11-23T19:29:45Z',
      stopped_at: '2026-11-23T19:41:00Z',
      duration_mins: 10,
      bytes_recorded: 1000,
      attempt: 1,
      capture_http_attempts: 1,
      outcome: 'complete_with_gaps',
      outcome_reason: 'gaps',
      coverage: 0.99,
      gap_seconds: 6,
      gap_count: 1,
      longest_gap_seconds: 6,
      gaps: [
        { from: '2026-11-23T19:30:01.000Z', to: '2026-11-23T19:30:07.000Z', seconds: 6, cause: 'stall' },
      ],
      ts_errors: {
        continuity_errors: 0,
        transport_errors: 0,
        scrambled: 0,
        sync_losses: 0,
        skipped_bytes: 0,
        clock_jumps: 0,
        trimmed_bytes: 0,
      },
      sources: ['m3u-1/bbc1#0'],
    });
  });

  it('counts no padding as a gap while it is under way either', () => {
    const gaps = [
      { fromAt: START - 15_000, toAt: START - 10_000, cause: 'late_start' },
      { fromAt: START - 1_000, toAt: START + 2_000, cause: 'reset' },
      { fromAt: STOP - 1_000, toAt: STOP + 30_000, cause: 'stall' },
    ] as const;
    expect(reportItem(reported('spooling', { gaps }))).toMatchObject({
      gap_seconds: 3,
      gap_count: 2,
      longest_gap_seconds: 2,
      gaps: [
        { from: '2026-11-23T19:30:00.000Z', to: '2026-11-23T19:30:02.000Z', cause: 'reset' },
        { from: '2026-11-23T19:39:59.000Z', to: '2026-11-23T19:40:00.000Z', cause: 'stall' },
      ],
    });
  });

  it('has no outcome while it is under way, and no field that is empty', () => {
    const item = reportItem(
      reported('scheduled', { stretches: [], gaps: [], bytes: 0, attempts: 0, startedAt: null }),
    );
    for (const name of [
      'outcome',
      'coverage',
      'started_at',
      'bytes_recorded',
      'attempt',
      'source_url',
      'error',
    ])
      expect(item).not.toHaveProperty(name);
    expect(item).toMatchObject({ state: 'starting_soon', status: 'scheduled', machine_state: 'scheduled' });
    expect(reportItem(reported('retrying'))).toMatchObject({ state: 'in_progress', status: 'recording' });
  });

  it('counts what was captured of one that was cancelled, also before it is sealed', () => {
    const captured = [
      {
        source: aRecording().upstreams[0]!,
        fromAt: START,
        toAt: START + 300_000,
        bytes: 188,
        firstOffset: 0,
      },
    ];
    const cut = {
      cancelReason: 'cancelled_by_user',
      result: null,
      files: null,
      bytes: 188,
      attempts: 1,
      gaps: [],
    };
    expect(reportItem(reported('cancelled', { ...cut, stretches: captured }))).toMatchObject({
      outcome: 'partial',
      outcome_reason: 'cancelled',
      coverage: 0.5,
      gap_seconds: 300,
    });
    expect(reportItem(reported('cancelled', { ...cut, stretches: [], bytes: 0 }))).toMatchObject({
      outcome: 'empty',
      coverage: 0,
    });
    expect(reportItem(reported('retrying', { ...cut, stretches: captured }))).not.toHaveProperty('outcome');
  });

  it('says why one was missed, also before anything was written about it', () => {
    const never = { attempts: 0, stretches: [], bytes: 0, failReason: 'missed' };
    expect(reportItem(reported('failed', never))).toMatchObject({
      outcome: 'missed',
      outcome_reason: 'not_started',
      coverage: 0,
    });
    expect(reportItem(reported('failed', { ...never, waiting: 'slots_full' }))).toMatchObject({
      outcome_reason: 'slots_full',
    });
  });
});

describe('the report', () => {
  const all = [
    reported('published', { id: 'a', result, files: media }),
    reported('spooling', {
      id: 'b',
      window: { startAt: START + 1, stopAt: STOP, prePaddingMs: 0, postPaddingMs: 0 },
    }),
    reported('scheduled', { id: 'c', capsule: aCapsule({ lane: 'general' }) }),
    reported('failed', { id: 'd', result: { ...result, outcome: 'partial', reason: 'interrupted' } }),
    reported('cancelled', { id: 'e' }),
    reported('expired', { id: 'f' }),
  ];

  it('sorts recordings into their lists, newest first, and counts them by lane', () => {
    const report = buildReport(all.map(listed), options);
    expect(report.active.map(({ id }) => id)).toEqual(['b', 'c']);
    expect(report.completed.map(({ id }) => id)).toEqual(['a']);
    expect(report.failed.map(({ id }) => id)).toEqual(['d', 'e']);
    expect(report).toMatchObject({
      generated_at: '2026-11-23T20:40:00Z',
      state_file: '/out/recorder-state.json',
      root_dir: '/out',
      updated_at: '2026-11-23T19:40:00Z',
      published_count: 1,
      interrupted_count: 1,
      statistics: { active_count: 2, completed_count: 1, failed_count: 2, sum_capture_http_attempts: 5 },
      lanes: [
        {
          lane: 'general',
          active_count: 1,
          completed_count: 0,
          failed_count: 0,
          interrupted_count: 0,
          published_count: 0,
        },
        {
          lane: 'sports',
          active_count: 1,
          completed_count: 1,
          failed_count: 2,
          interrupted_count: 1,
          published_count: 1,
        },
      ],
    });
    expect(report.failed[0]).toMatchObject({ status: 'interrupted', partial_recording: true });
  });

  it('limits each list and never the counts; 0 shows all', () => {
    const many = Array.from({ length: 30 }, (_, index) =>
      reported('published', { id: `id${index}`, result }),
    );
    const report = buildReport(many.map(listed), { ...options, limit: 2 });
    expect(report.completed.length).toBe(2);
    expect(report.statistics.completed_count).toBe(30);
    expect(buildReport(many.map(listed), { ...options, limit: 0 }).completed.length).toBe(30);
  });

  it('shows what each lane uses and has left of its budget', () => {
    const report = buildReport(all.map(listed), {
      ...options,
      budgetBytesPerLane: { sports: 5000, movies: 7000 },
    });
    expect(report.statistics.lane_storage).toEqual({
      general: { used_bytes: 376 },
      movies: { used_bytes: 0, budget_bytes: 7000, headroom_bytes: 7000 },
      sports: { used_bytes: 1000 + 376 + 1000 + 376, budget_bytes: 5000, headroom_bytes: 2248 },
    });
  });

  it('is empty but whole where there is nothing', () => {
    expect(buildReport([], options)).toEqual({
      generated_at: '2026-11-23T20:40:00Z',
      state_file: '/out/recorder-state.json',
      root_dir: '/out',
      statistics: { active_count: 0, completed_count: 0, failed_count: 0 },
      published_count: 0,
      interrupted_count: 0,
      lanes: [],
      active: [],
      completed: [],
      failed: [],
    });
  });
});
