import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseXmltvTime, parseZone, UTC } from '../../src/domain/xmltvTime.js';

const iso = (text: string, zoneName = 'UTC') => {
  const zone = parseZone(zoneName);
  const at = zone && parseXmltvTime(text, zone);
  return at === null ? null : new Date(at).toISOString().slice(0, 16);
};

describe('parseXmltvTime', () => {
  it.each([
    ['20261123193000 -0530', '2026-11-24T01:00'],
    ['20261123193000+0100', '2026-11-23T18:30'],
    ['20261123193000 +01:00', '2026-11-23T18:30'],
    ['202611231930', '2026-11-23T19:30'],
    ['2026112319', '2026-11-23T19:00'],
    ['20261123', '2026-11-23T00:00'],
    ['200007281733 BST', '2000-07-28T16:33'],
    ['20261025023000 +0200', '2026-10-25T00:30'],
    ['20261025023000 +0100', '2026-10-25T01:30'],
    [' 20261123193000 +0000 ', '2026-11-23T19:30'],
    ['20261123193000 Z', '2026-11-23T19:30'],
    ['20240229000000 +0000', '2024-02-29T00:00'],
  ])('%s is %s', (text, utc) => {
    expect(iso(text)).toBe(utc);
  });

  it.each([
    '202611',
    '20261332000000',
    '20261123193060 +0000',
    '20261123193000 XYZ',
    '20261123193000 IST',
    '20260229000000 +0000',
    '20261123240000 +0000',
    '20261123193000 +0075',
    '2026112319300a +0000',
    'tomorrow',
    '',
  ])('refuses %s', (text) => {
    expect(iso(text)).toBeNull();
  });

  it('reads a time without a zone in the zone of its source', () => {
    expect(iso('20261123193000', '+0100')).toBe('2026-11-23T18:30');
    expect(iso('20261123193000', '-330')).toBe('2026-11-24T01:00');
    expect(iso('20261123193000', 'Europe/Berlin')).toBe('2026-11-23T18:30');
    expect(iso('20260723193000', 'Europe/Berlin')).toBe('2026-07-23T17:30');
    expect(iso('20260723193000', 'Pacific/Auckland')).toBe('2026-07-23T07:30');
  });

  it('reads an hour that autumn repeats as the first, one that spring skips as if nothing had moved', () => {
    expect(iso('20261025023000', 'Europe/Berlin')).toBe('2026-10-25T00:30');
    expect(iso('20261025033000', 'Europe/Berlin')).toBe('2026-10-25T02:30');
    expect(iso('20260329023000', 'Europe/Berlin')).toBe('2026-03-29T01:30');
    expect(iso('20260329033000', 'Europe/Berlin')).toBe('2026-03-29T01:30');
    expect(iso('20261101013000', 'America/New_York')).toBe('2026-11-01T05:30');
    expect(iso('20260308023000', 'America/New_York')).toBe('2026-03-08T07:30');
  });

  it('shows the same wall clock again for every instant of a named zone', () => {
    const zone = parseZone('Europe/London') ?? UTC;
    const wall = new Intl.DateTimeFormat('sv-SE', {
      timeZone: 'Europe/London',
      dateStyle: 'short',
      timeStyle: 'medium',
    });
    fc.assert(
      fc.property(fc.integer({ min: 1_600_000_000, max: 1_900_000_000 }), (second) => {
        const text = wall.format(second * 1000);
        const at = parseXmltvTime(text.replace(/\D/g, ''), zone);
        expect(at).not.toBeNull();
        expect(wall.format(at ?? 0)).toBe(text);
      }),
    );
  });

  it('reads its usual form as the general one does', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 4_000_000_000 }),
        fc.integer({ min: -14 * 60, max: 14 * 60 }),
        (second, offset) => {
          const at = second * 1000;
          const wall = new Date(at + offset * 60_000).toISOString().slice(0, 19).replace(/\D/g, '');
          const zone = `${offset < 0 ? '-' : '+'}${pad(Math.floor(Math.abs(offset) / 60))}${pad(Math.abs(offset) % 60)}`;
          expect(parseXmltvTime(`${wall} ${zone}`)).toBe(at);
          expect(parseXmltvTime(`${wall}${zone}`)).toBe(at);
        },
      ),
    );
  });
});

describe('parseZone', () => {
  it('refuses what is no zone', () => {
    expect(parseZone('Mars/Olympus')).toBeNull();
    expect(parseZone('+9900')).toBeNull();
  });
});

function pad(value: number): string {
  return String(value).padStart(2, '0');
}
