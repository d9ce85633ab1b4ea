import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limitIn, refusalOfBody, refusalOfStatus, retryAfter } from '../../src/capture/refusal.js';

const NOW = Date.UTC(2026, 10, 23, 12);
const said = (status: number, body = '', headers: Record<string, string> = {}) =>
  refusalOfStatus({ status, headers, body: Buffer.from(body) }, NOW);

describe('what a status means', () => {
  it.each([
    [401, 'spent'],
    [403, 'spent'],
    [404, 'spent'],
    [410, 'spent'],
    [304, 'spent'],
    [408, 'retry'],
    [500, 'retry'],
    [502, 'retry'],
    [503, 'retry'],
    [423, 'no_slot'],
    [458, 'no_slot'],
    [509, 'no_slot'],
    [429, 'backoff'],
  ])('%d is %s', (status, remedy) => {
    expect(said(status).remedy).toBe(remedy);
  });

  it('carries the status as the cause, but for a limit', () => {
    expect(said(404).cause).toBe('http_404');
    expect(said(509).cause).toBe('limit');
  });
});

describe('the words of a connection limit', () => {
  it.each([
    ['Max connections reached', null],
    ['Maximum connections: 2 streams', 2],
    ['Too many connections (limit 3 devices)', 3],
    ['connection limit: only 1 session allowed', 1],
    ['3 concurrent streams is the maximum', 3],
    ['max connections for this account is 4', 4],
    ['concurrent viewers exceeded since 2024 connections', null],
  ])('%s', (text, limit) => {
    expect(said(403, text)).toMatchObject({ remedy: 'no_slot', cause: 'limit', limit });
  });

  it('count in any answer that is no media, whatever its status', () => {
    expect(said(200 + 303, 'too many connections').remedy).toBe('no_slot');
    expect(refusalOfBody(Buffer.from('<html>Too Many Connections</html>'), true).remedy).toBe('no_slot');
  });

  it('count in the first 256 bytes only', () => {
    expect(said(403, `${' '.repeat(250)}too many connections`).remedy).toBe('spent');
  });

  it('never name a limit of zero, or of more than two digits', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => {
        const limit = limitIn(text.toLowerCase());
        expect(limit === null || (limit >= 1 && limit <= 99)).toBe(true);
      }),
    );
    expect(limitIn('max 0 connections')).toBeNull();
    expect(limitIn('max 500 connections')).toBeNull();
  });
});

describe('Retry-After', () => {
  it.each([
    ['120', 120_000],
    [' 0 ', 0],
    ['Mon, 23 Nov 2026 12:01:00 GMT', 60_000],
    ['Mon, 23 Nov 2026 11:00:00 GMT', 0],
    ['soon', null],
    [undefined, null],
  ])('%s', (value, expected) => {
    expect(retryAfter(value, NOW)).toBe(expected);
  });
});

describe('a body that is no media', () => {
  it.each([
    ['<!DOCTYPE html>', 'html'],
    ['\u{FEFF}\n <HTML lang="en">', 'html'],
    ['#EXTM3U', 'not_media'],
    ['', 'eof'],
  ])('%j is %s', (body, cause) => {
    expect(refusalOfBody(Buffer.from(body), true).cause).toBe(cause);
  });
});
