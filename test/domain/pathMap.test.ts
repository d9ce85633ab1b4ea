import { describe, expect, it } from 'vitest';
import { liesIn, mapPath, samePath } from '../../src/domain/pathMap.js';

const MAP = [
  { server: null, local: '/srv/catchup', remote: '/media' },
  { server: null, local: '/srv/catchup/movies', remote: '/films' },
  { server: 'plex', local: '/srv/catchup', remote: 'Z:\\Catchup' },
];

describe('a path where the server runs', () => {
  it.each([
    ['jellyfin', '/srv/catchup/sports/x', '/media/sports/x'],
    ['jellyfin', '/srv/catchup', '/media'],
    ['jellyfin', '/srv/catchup/movies/x', '/films/x'],
    ['plex', '/srv/catchup/sports/x', 'Z:\\Catchup\\sports\\x'],
    ['plex', '/srv/catchup/movies/x', '/films/x'],
    ['jellyfin', '/srv/catchup-2/sports', '/srv/catchup-2/sports'],
    ['jellyfin', '/other', '/other'],
  ])('of %s for %s is %s', (server, local, remote) => {
    expect(mapPath(local, server, MAP)).toBe(remote);
  });

  it('may be anywhere below a root, and a root itself', () => {
    expect(mapPath('/a/b', 'x', [{ server: null, local: '/', remote: '/mnt' }])).toBe('/mnt/a/b');
    expect(mapPath('/a/b', 'x', [{ server: null, local: '/a', remote: '/' }])).toBe('/b');
    expect(mapPath('/a/b', 'x', [{ server: null, local: '/a', remote: '\\\\nas\\tv\\' }])).toBe(
      '\\\\nas\\tv\\b',
    );
  });
});

describe('two names of one folder', () => {
  it('may differ in the slash at the end, on Windows also in case and kind of slash', () => {
    expect(samePath('/a/b', '/a/b/')).toBe(true);
    expect(samePath('/a/b', '/a/B')).toBe(false);
    expect(samePath('Z:\\A\\b', 'z:/a/B/')).toBe(true);
    expect(liesIn('/a/bc', '/a/b')).toBe(false);
    expect(liesIn('/a', '/')).toBe(true);
  });
});
