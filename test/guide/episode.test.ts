import { describe, expect, it } from 'vitest';
import { episodeOf } from '../../src/guide/episode.js';

describe('episodeOf', () => {
  it.each([
    ['xmltv_ns', '1 . 11/13 . 0/1', 's2e12'],
    ['xmltv_ns', '1 . 11/13 . 0/2', 's2e12p1'],
    ['xmltv_ns', '1.11.', 's2e12'],
    ['xmltv_ns', ' . 4 . ', 'e5'],
    ['xmltv_ns', '3 . . ', ''],
    ['xmltv_ns', 'x.y.z', ''],
    ['dd_progid', 'EP01234567.0012', 'dd:EP012345670012'],
    ['dd_progid', 'SH012345670000', ''],
    ['', 'S01E02', 's1e2'],
    ['onscreen', 's1 ep. 2', 's1e2'],
    ['onscreen', '1x02', 's1e2'],
    ['onscreen', 'Episode 12', 'e12'],
    ['onscreen', '(1/3)', ''],
    ['imdb.com', 'tt0012345', ''],
  ])('reads %s %j as %j', (system, text, episode) => {
    expect(episodeOf([{ system, text }])).toBe(episode);
  });

  it('prefers what guides agree on, in whatever order it is written', () => {
    const onscreen = { system: 'onscreen', text: 'S9E9' };
    const progid = { system: 'dd_progid', text: 'EP000000010002' };
    const ns = { system: 'xmltv_ns', text: '0.1.' };
    expect(episodeOf([onscreen, progid, ns])).toBe('s1e2');
    expect(episodeOf([onscreen, progid])).toBe('dd:EP000000010002');
    expect(episodeOf([{ system: 'xmltv_ns', text: '..' }, onscreen])).toBe('s9e9');
  });
});
