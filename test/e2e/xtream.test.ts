/** An Xtream account as the only source: its channels, its guide, its limit, and what its panel does at night. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { breaksOf, decode } from '../media/frames.js';
import {
  channel,
  CLIP_FRAMES,
  filesUnder,
  nothingYet,
  openScene,
  programme,
  said,
  soon,
  until,
  type Report,
} from './scene.js';

const ACCOUNT = { user: 'anna', pass: 'geheim-4711' };
const LOGIN = `username=${ACCOUNT.user}&password=${ACCOUNT.pass}`;
const channels = [channel('101', { tvgId: 'one.tv' }), channel('102', { tvgId: 'two.tv' })];
const finished = (count: number) => (report: Report) => report.completed.length === count;
const outcomes = ({ completed }: Report) =>
  completed.map((item) => `${item.title}: ${'outcome' in item ? String(item.outcome) : ''}`).toSorted();

describe.concurrent('an Xtream account', () => {
  it('is all that is needed: channels, guide, and one connection at a time because the panel says so', async ({
    onTestFinished,
  }) => {
    const scene = openScene(onTestFinished);
    const provider = await scene.provider({
      channels,
      programmes: nothingYet('one.tv'),
      connectionsMax: 1,
      panel: { ...ACCOUNT, maxConnections: '1' },
    });
    // From a file, so that no process list shows the login.
    writeFileSync(scene.path('account.txt'), `${provider.url}/?${LOGIN}\n`, { mode: 0o600 });
    const daemon = scene.daemon(['--xtream', scene.path('account.txt'), '--provider-cooldown', '1s']);
    await daemon.ready();
    const at = soon(4);
    await provider.setProgrammes([
      programme('one.tv', 'First', at, 6),
      programme('two.tv', 'Second', at + 3_000, 14),
    ]);
    await daemon.sees('the second waits', ({ active }) =>
      active.some((item) => 'waiting' in item && item.waiting === 'account_full'),
    );
    const report = await daemon.sees('both are finished', finished(2), 40_000);
    const { openStreamsMax, requests } = await provider.facts();
    expect(openStreamsMax).toBe(1);
    expect(requests.filter(({ status }) => status === 458)).toEqual([]);
    expect(outcomes(report)[0]).toBe('First: complete');
    const first = report.completed.find(({ title }) => title === 'First');
    const { frames, errors } = await decode(first?.output_path ?? '');
    expect(errors).toEqual([]);
    expect(breaksOf(frames, CLIP_FRAMES)).toEqual([]);
    await daemon.stop();
    const written = filesUnder(scene.outDir).filter((path) => !path.endsWith('sources.json'));
    const everything = [
      daemon.stderr(),
      ...written.map((path) => readFileSync(join(scene.outDir, path), 'latin1')),
    ].join('\n');
    expect(written.length).toBeGreaterThan(3);
    expect(everything).not.toContain(ACCOUNT.pass);
  });

  it('may answer nonsense at night: what is known stays, is said, and what runs goes on', async ({
    onTestFinished,
  }) => {
    const scene = openScene(onTestFinished);
    const provider = await scene.provider({
      channels,
      programmes: nothingYet('one.tv'),
      panel: { ...ACCOUNT, maxConnections: 'unlimited', formats: [] },
    });
    const daemon = scene.daemon(['--xtream', `${provider.url}/player_api.php?${LOGIN}`]);
    await daemon.ready();
    const at = soon(4);
    await provider.setProgrammes([programme('one.tv', 'Night', at, 12)]);
    await daemon.sees('it records', ({ active }) => active.some((item) => item.machine_state === 'spooling'));
    await provider.setPage('/player_api.php', { body: '<html><b>Fatal error</b></html>' });
    await until('the web page is named', () => said(daemon, 'list_not_xtream'));
    await provider.setPage('/player_api.php', { status: 401, body: 'expired' });
    await until('the refusal is named', () => said(daemon, 'account_refused'));
    await provider.setPage('/xmltv.php', { status: 401, body: '' });
    const report = await daemon.sees('it is finished', finished(1), 40_000);
    expect(outcomes(report)).toEqual(['Night: complete']);
    expect(await provider.asked('101')).toBe(1);
  });

  it('is seen behind a list that get.php makes, with the guide that the list does not name', async ({
    onTestFinished,
  }) => {
    const scene = openScene(onTestFinished);
    const provider = await scene.provider({
      channels,
      programmes: nothingYet('one.tv'),
      // The panel claims more than the provider gives: the refusal teaches the truth.
      connectionsMax: 1,
      panel: { ...ACCOUNT, maxConnections: 5 },
    });
    const daemon = scene.daemon([
      '--m3u',
      `${provider.url}/get.php?${LOGIN}&type=m3u_plus&output=ts`,
      '--provider-cooldown',
      '1s',
    ]);
    await daemon.ready();
    const at = soon(4);
    await provider.setProgrammes([
      programme('one.tv', 'First', at, 6),
      programme('two.tv', 'Second', at + 3_000, 14),
    ]);
    await daemon.sees('both are finished', finished(2), 40_000);
    const accounts = (await (await fetch(`${await daemon.url()}/api/upstreams`)).json()) as {
      accounts: { account: string; configured: number | null; learned: { limit: number } | null }[];
    };
    expect(accounts.accounts).toMatchObject([{ configured: 5, learned: { limit: 1 } }]);
    const { openStreamsMax, requests } = await provider.facts();
    expect(openStreamsMax).toBe(1);
    expect(requests.filter(({ status }) => status === 458)).toHaveLength(1);
  });
});
