/** Connections as providers count them: never one too many, and whoever waits says why and comes in (P6). */
import { describe, expect, it } from 'vitest';
import { channel, json, nothingYet, openScene, programme, soon, until, type ReportItem } from './scene.js';

const outcomeOf = (item: ReportItem) => `${item.title}: ${'outcome' in item ? String(item.outcome) : 'none'}`;
const hostPort = (url: string) => new URL(url).host;

describe.concurrent('connections', () => {
  it('go from one programme to the next on an account of one, after its padding yields and cools down', async ({
    onTestFinished,
  }) => {
    const scene = openScene(onTestFinished);
    const provider = await scene.provider({
      channels: [channel('one'), channel('two')],
      programmes: nothingYet('one.tv'),
      connectionsMax: 1,
    });
    const daemon = scene.daemon([
      '--m3u',
      provider.m3uUrl,
      '--post-padding',
      '8s',
      '--provider-cooldown',
      '2s',
      '--provider-max',
      `${hostPort(provider.url)}=1`,
    ]);
    await daemon.ready();
    const at = soon(2);
    await provider.setProgrammes([
      programme('one.tv', 'First', at, 5),
      programme('two.tv', 'Second', at + 5_000, 6),
    ]);
    const waiting = await daemon.sees('the second waits', ({ active }) =>
      active.some((item) => item.title === 'Second' && 'waiting' in item && item.waiting === 'account_full'),
    );
    expect(waiting.active.some(({ title }) => title === 'First')).toBe(true);
    const upstreams: unknown = await (await fetch(`${await daemon.url()}/api/upstreams`)).json();
    expect(upstreams).toMatchObject({
      accounts: [{ account: hostPort(provider.url), open: 1, limit: 1, configured: 1, learned: null }],
      connections: [{ state: 'open' }],
      waiting: [{ reason: 'account_full' }],
    });
    const { completed } = await daemon.sees(
      'both are finished',
      (report) => report.completed.length === 2,
      60_000,
    );
    // What the cool-down takes from the second one is said, less the pictures since a key frame that come at once.
    expect(completed.map(outcomeOf).toSorted()).toEqual(['First: complete', 'Second: complete_with_gaps']);
    const { openStreamsMax, requests } = await provider.facts();
    expect(openStreamsMax).toBe(1);
    expect(requests.filter(({ status }) => status === 458)).toEqual([]);
  });

  it('go to the higher lane, and the lower one comes back with what it had', async ({ onTestFinished }) => {
    const scene = openScene(onTestFinished);
    const provider = await scene.provider({
      channels: [channel('low'), channel('high')],
      programmes: nothingYet('low.tv'),
    });
    const daemon = scene.daemon(['--m3u', provider.m3uUrl, '--max-concurrency', '1']);
    await daemon.ready();
    const at = soon(2);
    await provider.setProgrammes([
      programme('low.tv', 'Knitting', at, 16),
      programme('high.tv', 'United vs City', at + 5_000, 4, { categories: ['Sports'] }),
    ]);
    const { completed } = await daemon.sees(
      'both are finished',
      (report) => report.completed.length === 2,
      60_000,
    );
    const low = completed.find(({ title }) => title === 'Knitting');
    expect(completed.map(outcomeOf).toSorted()).toEqual([
      'Knitting: complete_with_gaps',
      'United vs City: complete',
    ]);
    const ledger = json((low?.output_path ?? '').replace(/\.ts$/, '.catchupd.json')) as {
      gaps: { cause: string }[];
      joins: { kind: string }[];
    };
    expect(ledger.gaps.map(({ cause }) => cause)).toContain('preempted');
    expect(ledger.joins.map(({ kind }) => kind)).toEqual(['preempted']);
    await until('one stream at a time', async () => (await provider.facts()).openStreamsMax === 1);
  });
});
