import { describe, expect, it } from 'vitest';
import { archiveUrls } from '../../src/domain/archive.js';
import type { Archive } from '../../src/domain/channel.js';

const startAt = Date.UTC(2026, 10, 23, 19, 30);
const wish = { startAt, stopAt: startAt + 90 * 60_000, now: startAt + 3 * 3_600_000, zoneMinutes: 60 };
const start = startAt / 1000;
const urls = (archive: Partial<Archive>, live = 'http://h/live/u/p/12.ts', more = {}) =>
  archiveUrls(
    { urls: [live], archive: { mode: 'default', days: 3, source: '', ...archive } },
    { ...wish, ...more },
  );

describe('addresses in an archive', () => {
  it('fill the placeholders of players', () => {
    expect(urls({ source: 'http://h/c/${start}/${duration}.ts' })).toEqual([`http://h/c/${start}/5400.ts`]);
    expect(urls({ source: 'http://h/c?u={utc}&e={utcend}&l={lutc}&o=${offset}' })).toEqual([
      `http://h/c?u=${start}&e=${start + 5400}&l=${start + 10_800}&o=10800`,
    ]);
    expect(urls({ source: 'http://h/{Y}-{m}-{d}:{H}-{M}/{duration:60}' })).toEqual([
      'http://h/2026-11-23:19-30/90',
    ]);
    expect(urls({ source: 'http://h/{utc:Y-m-d:H-M}/x' })).toEqual(['http://h/2026-11-23:19-30/x']);
    expect(urls({ source: 'http://h/{unknown}/x' })).toEqual(['http://h/{unknown}/x']);
  });

  it('append to the live address, or add times to it', () => {
    expect(urls({ mode: 'append', source: '?s=${start}' })).toEqual([`http://h/live/u/p/12.ts?s=${start}`]);
    expect(urls({ mode: 'shift' })).toEqual([`http://h/live/u/p/12.ts?utc=${start}&lutc=${start + 10_800}`]);
    expect(urls({ mode: 'shift' }, 'http://h/a?b=1')).toEqual([
      `http://h/a?b=1&utc=${start}&lutc=${start + 10_800}`,
    ]);
  });

  it('ask a flussonic server for the finite form', () => {
    expect(urls({ mode: 'flussonic' }, 'http://h/ch/index.m3u8?token=t')).toEqual([
      `http://h/ch/archive-${start}-5400.m3u8?token=t`,
      `http://h/ch/archive-${start}-5400.ts?token=t`,
    ]);
    expect(urls({ mode: 'flussonic-ts' }, 'http://h/ch/mpegts')).toEqual([
      `http://h/ch/archive-${start}-5400.ts`,
    ]);
  });

  it('ask a panel in both forms, in the time of its own clock, for a little more', () => {
    expect(urls({ mode: 'xc', source: '12' })).toEqual([
      'http://h/timeshift/u/p/95/2026-11-23:20-30/12.ts',
      'http://h/streaming/timeshift.php?username=u&password=p&stream=12&start=2026-11-23:20-30&duration=95',
      'http://h/timeshift/u/p/95/2026-11-23:20-30/12.m3u8',
    ]);
    expect(urls({ mode: 'xc' }, 'http://h:80/tv/u/p/12')[0]).toBe(
      'http://h:80/tv/timeshift/u/p/95/2026-11-23:20-30/12.ts',
    );
  });

  it('are none where the archive does not go back that far, or is none', () => {
    expect(urls({ source: 'http://h/${start}' }, undefined, { now: startAt + 4 * 86_400_000 })).toEqual([]);
    expect(urls({ days: 0, source: 'http://h/x' }, undefined, { now: startAt + 40 * 86_400_000 })).toEqual([
      'http://h/x',
    ]);
    expect(urls({ source: '' })).toEqual([]);
    expect(archiveUrls({ urls: ['http://h/1'] }, wish)).toEqual([]);
    expect(urls({ mode: 'xc' }, 'http://h/one.ts')).toEqual([]);
  });
});
