/** What people type and what comes back: every quantity reads its own text again. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatListen, isLoopback, parseListen } from '../../src/domain/address.js';
import {
  formatDuration,
  formatLaneMap,
  formatSize,
  parseCount,
  parseDuration,
  parseFloor,
  parseLaneMap,
  parseList,
  parseShare,
  parseRate,
  parseSize,
  roundSize,
} from '../../src/domain/quantity.js';

const ms = fc.nat({ max: 400 * 86_400_000 });

describe('durations', () => {
  it.each([
    ['0', 0],
    ['0s', 0],
    ['250ms', 250],
    ['30s', 30_000],
    ['5m', 300_000],
    ['6h', 21_600_000],
    ['7d', 604_800_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['2m250ms', 120_250],
    [' 5M ', 300_000],
  ])('%s is %d ms', (text, expected) => {
    expect(parseDuration(text)).toBe(expected);
  });

  it.each(['', '30', '5 m', '-5s', 's', '5x', '1h30', 'soon', '999999999999999d'])('%j is none', (text) => {
    expect(parseDuration(text)).toBeNull();
  });

  it('read what they print', () => {
    fc.assert(
      fc.property(ms, (value) => {
        expect(parseDuration(formatDuration(value))).toBe(value);
      }),
    );
    expect(formatDuration(5_400_000)).toBe('1h30m');
    expect(formatDuration(0)).toBe('0s');
  });
});

describe('sizes', () => {
  it.each([
    ['0', 0],
    ['1048576', 1_048_576],
    ['20GiB', 20 * 2 ** 30],
    ['500MB', 500_000_000],
    ['1.5 TiB', 1.5 * 2 ** 40],
    ['4k', 4096],
    ['7b', 7],
  ])('%s is %d bytes', (text, expected) => {
    expect(parseSize(text)).toBe(expected);
  });

  it.each(['', '5%', 'big', '-1', '1XB', '99999999TiB'])('%j is none', (text) => {
    expect(parseSize(text)).toBeNull();
  });

  it('read what they print', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 50 }), (value) => {
        expect(parseSize(formatSize(value))).toBe(value);
      }),
    );
    fc.assert(
      fc.property(
        fc.nat({ max: 1000 }),
        fc.constantFrom(2 ** 10, 2 ** 20, 2 ** 30, 2 ** 40),
        (count, unit) => {
          expect(parseSize(formatSize(count * unit))).toBe(count * unit);
        },
      ),
    );
  });

  it('are rounded for people', () => {
    expect(roundSize(999)).toBe('999 B');
    expect(roundSize(1.5 * 2 ** 30)).toBe('1.5 GiB');
  });
});

describe('shares and floors', () => {
  it('read percentages of at most 100', () => {
    expect(parseShare('5%')).toBe(0.05);
    expect(parseShare('0')).toBe(0);
    expect(parseShare('101%')).toBeNull();
    expect(parseShare('5')).toBeNull();
  });

  it('are a share or a size', () => {
    expect(parseFloor('5%')).toEqual({ kind: 'share', share: 0.05 });
    expect(parseFloor('20GiB')).toEqual({ kind: 'bytes', bytes: 20 * 2 ** 30 });
    expect(parseFloor('0')).toEqual({ kind: 'bytes', bytes: 0 });
    expect(parseFloor('lots')).toBeNull();
  });
});

describe('counts and lists', () => {
  it('take whole numbers only', () => {
    expect(parseCount('12')).toBe(12);
    for (const text of ['', '1.5', '-1', 'x', '1e3']) expect(parseCount(text)).toBeNull();
  });

  it('trim blanks, drop empty entries and repeats', () => {
    expect(parseList(' sports , general,, sports ')).toEqual(['sports', 'general']);
    expect(parseList('')).toEqual([]);
  });

  it('read their own text again', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (entries) => {
        const read = parseList(entries.join(','));
        expect(parseList(read.join(','))).toEqual(read);
      }),
    );
  });
});

describe('lane maps', () => {
  const lane = fc.stringMatching(/^[a-z][a-z0-9_-]{0,8}$/);

  it('read what they print', () => {
    fc.assert(
      fc.property(fc.dictionary(lane, ms), (map) => {
        expect(parseLaneMap(formatLaneMap(map, formatDuration), parseDuration)).toEqual({
          kind: 'ok',
          map: { ...map },
        });
      }),
    );
  });

  it('take lanes in any case, with blanks around', () => {
    expect(parseLaneMap(' Sports = 72h, general=24h ', parseDuration)).toEqual({
      kind: 'ok',
      map: { sports: 259_200_000, general: 86_400_000 },
    });
  });

  it.each(['sports', '=5', 'sports=', 'sports=soon', 'general=1h,sports:2h'])(
    '%j names what is wrong',
    (text) => {
      expect(parseLaneMap(text, parseDuration).kind).toBe('bad');
    },
  );
});

describe('addresses to listen on', () => {
  it.each([
    ['8998', { host: '127.0.0.1', port: 8998 }],
    [':8998', { host: '0.0.0.0', port: 8998 }],
    ['*:8998', { host: '0.0.0.0', port: 8998 }],
    ['NAS.local:80', { host: 'nas.local', port: 80 }],
    ['[::1]:0', { host: '::1', port: 0 }],
  ])('%s', (text, listen) => {
    expect(parseListen(text)).toEqual(listen);
    expect(parseListen(formatListen(listen))).toEqual(listen);
  });

  it.each(['', 'host', '65536', 'a:b', '::1:80', 'http://x:80', 'me@host:80', '-1'])('%j is none', (text) => {
    expect(parseListen(text)).toBeNull();
  });

  it('knows the names of this machine, and only those', () => {
    for (const host of [
      'localhost',
      'LOCALHOST.',
      'a.localhost',
      '127.0.0.1',
      '127.9.9.9',
      '::1',
      '::ffff:127.0.0.1',
    ]) {
      expect(isLoopback(host)).toBe(true);
    }
    for (const host of [
      '0.0.0.0',
      '10.0.0.1',
      'localhost.example',
      '127.0.0.1.example',
      '128.0.0.1',
      '127.0.0.999',
      '',
    ]) {
      expect(isLoopback(host)).toBe(false);
    }
  });
});

describe('bit rates', () => {
  it.each([
    ['9000000', 9_000_000],
    ['80Mbit/s', 80_000_000],
    ['80Mbps', 80_000_000],
    ['25M', 25_000_000],
    ['1.5 Gbit', 1_500_000_000],
    ['12MB/s', 96_000_000],
    ['64kbit', 64_000],
    ['0', 0],
    ['fast', null],
    ['-1', null],
    ['10Mfoo', null],
  ])('%s is %s', (text, bits) => {
    expect(parseRate(text)).toBe(bits);
  });
});
