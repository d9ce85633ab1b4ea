import { describe, expect, it } from 'vitest';
import { preview, previewLayout, type PreviewOptions } from '../../src/domain/preview.js';
import { replayUrl } from '../../src/domain/replayTemplate.js';
import { at, capsule, HOUR } from './programmes.js';

const match = capsule('19:30', '21:31', 'Man Utd & City', {
  channelName: 'Sky Sports 1',
  guideNumber: '401',
  categories: ['Sport'],
  lane: 'sports',
});
const options: PreviewOptions = {
  now: at('20:00'),
  sourceReady: true,
  guidePolicy: 'off',
  replayTemplate: null,
  expiresAt: ({ stopAt }) => stopAt + 12 * HOUR,
  urls: () => ['http://panel.test/live/bob/secret/1.ts'],
  userAgent: () => '',
};

describe('the replay template', () => {
  it.each([
    ['{capsule_id}', 'dna-one:202611231930:man-utd-and-city'],
    ['{dna_id}/{channel_id}/{guide_number}', 'dna-one/one/401'],
    ['{channel_name}|{channel_name_query}', 'Sky Sports 1|Sky+Sports+1'],
    ['{title}|{title_query}', 'Man Utd & City|Man+Utd+%26+City'],
    ['{start_rfc3339} {stop_rfc3339}', '2026-11-23T19:30:00Z 2026-11-23T21:31:00Z'],
    ['{start_unix}-{stop_unix}', '1795462200-1795469460'],
    ['{duration_mins}', '121'],
    ['{start_ymd} {start_hm}', '2026-11-23 19-30'],
    ['{start_xtream} {stop_xtream}', '2026-11-23:19-30 2026-11-23:21-31'],
    ['{unknown} {Title} ${start}', '{unknown} {Title} ${start}'],
  ])('%s', (template, expected) => {
    expect(replayUrl(template, match)).toBe(expected);
  });
});

describe('the capsule preview', () => {
  it('has the fields of iptv-tunerr, empty ones left out, and no login', () => {
    expect(preview([match], options)).toEqual({
      generated_at: '2026-11-23T20:00:00Z',
      source_ready: true,
      replay_mode: 'launcher',
      capsules: [
        {
          capsule_id: 'dna-one:202611231930:man-utd-and-city',
          dna_id: 'dna-one',
          channel_id: 'one',
          guide_number: '401',
          channel_name: 'Sky Sports 1',
          title: 'Man Utd & City',
          categories: ['Sport'],
          lane: 'sports',
          state: 'in_progress',
          start: '2026-11-23T19:30:00Z',
          stop: '2026-11-23T21:31:00Z',
          publish_at: '2026-11-23T21:31:00Z',
          expires_at: '2026-11-24T09:31:00Z',
          duration_mins: 121,
          replay_mode: 'launcher',
          record_source_urls: ['http://panel.test/live/***/***/1.ts'],
        },
      ],
    });
  });

  it('says the guide policy and the replay address where there are some', () => {
    const shown = preview([match], {
      ...options,
      guidePolicy: 'strict',
      replayTemplate: 'http://r/{channel_id}?token=secret&s={start_unix}',
    });
    expect(shown).toMatchObject({ guide_policy: 'strict', replay_mode: 'replay' });
    expect(shown.capsules[0]?.replay_url).toBe('http://r/one?token=***&s=1795462200');
  });

  it('is laid out lane by lane', () => {
    const film = capsule('21:00', '22:00', 'Film', { lane: 'movies' });
    const files = previewLayout(preview([match, film], options), ['sports', 'movies', 'general']);
    expect([...files.keys()]).toEqual(['sports.json', 'movies.json', 'manifest.json']);
    expect(files.get('movies.json')).toMatchObject({ lane: 'movies', capsules: [{ title: 'Film' }] });
    expect(files.get('manifest.json')).toEqual({
      generated_at: '2026-11-23T20:00:00Z',
      source_ready: true,
      capsule_count: 2,
      lane_order: ['sports', 'movies', 'general'],
      written_lanes: ['sports', 'movies'],
    });
  });
});
