import { expect, it } from 'vitest';
import { parseAutopilot, parseHostPolicy } from '../../src/store/hints.js';

it('takes of each channel the path that worked most often and still works', () => {
  const rows = [
    { dna_id: 'dna-A', client_class: 'web', preferred_url: 'http://one/a', preferred_host: 'ONE', hits: 3 },
    { dna_id: 'dna-a', client_class: 'tv', preferred_url: 'http://two/a', preferred_host: 'two', hits: 9 },
    { dna_id: 'dna-a', preferred_url: 'http://dead/a', hits: 99, failure_streak: 2 },
    { dna_id: 7, hits: 'many' },
    'nonsense',
    { dna_id: 'dna-b', preferred_host: 'three' },
  ];
  expect(Object.fromEntries(parseAutopilot(JSON.stringify(rows), 'autopilot.json'))).toEqual({
    'dna-a': { url: 'http://two/a', host: 'two' },
    'dna-b': { url: '', host: 'three' },
  });
});

it('takes host policies under both of their spellings', () => {
  const text = JSON.stringify({
    global_preferred_hosts: ['CDN.good'],
    preferred_hosts: ['b'],
    global_blocked_hosts: ['bad'],
  });
  expect(parseHostPolicy(text, 'policy.json')).toEqual({ preferred: ['cdn.good', 'b'], blocked: ['bad'] });
});

it.each(['', '{', '{"a":1}', 'null'])('refuses %j as a memory by its code', (text) => {
  expect(() => parseAutopilot(text, '/etc/autopilot.json')).toThrow(
    expect.objectContaining({
      code: 'hints_unreadable',
      detail: expect.stringContaining('/etc/autopilot.json'),
    }),
  );
});

it.each(['', '[', '[]', '{"preferred_hosts": 3}'])('refuses %j as a host policy by its code', (text) => {
  expect(() => parseHostPolicy(text, '/etc/policy.json')).toThrow(
    expect.objectContaining({ code: 'hints_unreadable' }),
  );
});
