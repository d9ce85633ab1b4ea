/** Commands to recordings, as a person types them: to a daemon that listens, to one that does not, and to none. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CommandAnswer } from '../../src/runtime/commands.js';
import {
  BRISK,
  channel,
  filesUnder,
  nothingYet,
  openScene,
  programme,
  soon,
  until,
  type Answer,
} from './scene.js';

const said = ({ stdout }: Answer) => JSON.parse(stdout) as CommandAnswer;

describe.concurrent('a command to a recording', () => {
  it('goes through the daemon that runs, and on the store where none does', async ({ onTestFinished }) => {
    const scene = openScene(onTestFinished);
    const places = ['--out-dir', scene.outDir, '--publish-dir', scene.publishDir];
    const tell = (...words: string[]) => scene.ask([...words, ...places, '--json']);
    const channels = [channel('one'), channel('two')];
    const provider = await scene.provider({ channels, programmes: nothingYet('one.tv') });
    const daemon = scene.daemon(['--m3u', provider.m3uUrl]);
    await daemon.ready();
    await provider.setProgrammes([
      programme('one.tv', 'Short', soon(-2), 8),
      programme('two.tv', 'Long', soon(-2), 900),
    ]);
    const { completed } = await daemon.sees(
      'the short one is finished',
      (report) => report.completed.length === 1,
      60_000,
    );
    const short = completed[0]!;
    const post = async (id: string, verb: string) =>
      (await fetch(`${await daemon.url()}/api/recordings/${id}/${verb}`, { method: 'POST' })).json();

    expect(said(await tell('keep', short.id.slice(0, 6)))).toMatchObject({ id: short.id, changed: true });
    expect(await post(short.id, 'keep')).toMatchObject({ changed: false, recording: { keep: true } });
    expect((await daemon.report()).completed[0]).toMatchObject({ keep: true });
    expect(await post(short.id, 'unkeep')).toMatchObject({ changed: true, recording: { keep: false } });
    const late = await tell('cancel', short.id);
    expect(late).toMatchObject({ code: 1, stdout: '' });
    expect(late.stderr).toContain('catchupd: recording_over: It is published');

    const before = await daemon.sees('the long one is on disk', ({ active }) =>
      active.some(({ bytes_recorded }) => (bytes_recorded ?? 0) > 0),
    );
    const long = before.active[0]!;
    expect(await post(long.id, 'cancel')).toMatchObject({ changed: true });
    await daemon.sees('it is cancelled', ({ failed }) => failed[0]?.machine_state === 'cancelled');
    expect(await post(long.id, 'cancel')).toMatchObject({ changed: false });
    expect(await post(long.id, 'retry')).toMatchObject({ changed: true });
    await daemon.sees('it goes on', ({ active }) => active[0]?.machine_state === 'spooling');

    expect(said(await tell('delete', short.id))).toMatchObject({ changed: true, machine_state: 'expired' });
    expect(await post(short.id, 'delete')).toMatchObject({ changed: false, machine_state: 'expired' });
    expect(filesUnder(scene.publishDir).filter((path) => path.includes('Short'))).toEqual([]);
    expect((await tell('keep')).code).toBe(2);
    expect(await post('ffffffff', 'keep')).toMatchObject({ error: { code: 'recording_unknown' } });

    expect(await daemon.stop()).toMatchObject({ code: 0 });
    expect(said(await tell('keep', long.id))).toMatchObject({ changed: true, recording: { keep: true } });
    expect(said(await tell('delete', long.id))).toMatchObject({
      machine_state: expect.stringMatching(/cancelled|gone|spooling|retrying|expired/),
    });

    const again = scene.daemon(['--m3u', provider.m3uUrl]);
    await again.ready();
    await again.sees(
      'nothing of it is left',
      ({ active, completed, failed }) => [...active, ...completed, ...failed].length === 0,
    );
    expect(filesUnder(scene.outDir).filter((path) => path.endsWith('.ts'))).toEqual([]);
    const why = await scene.ask(['why', 'Long', ...places, '--m3u', provider.m3uUrl, '--json']);
    expect(JSON.parse(why.stdout)).toMatchObject({ removed: [{ id: long.id, reason: 'removed_by_user' }] });
  }, 240_000);

  it('goes through a file where the daemon does not listen', async ({ onTestFinished }) => {
    const scene = openScene(onTestFinished);
    const provider = await scene.provider({ channels: [channel('one')], programmes: nothingYet('one.tv') });
    await provider.setProgrammes([programme('one.tv', 'Long', soon(-2), 900)]);
    const daemon = scene.start(['run', '--out-dir', scene.outDir, ...BRISK, '--m3u', provider.m3uUrl]);
    const state = () => scene.ask(['report', '--out-dir', scene.outDir]);
    const id = await until('it is recorded', async () => {
      const { code, stdout } = await state();
      return code === 0 && (JSON.parse(stdout) as { active: { id: string }[] }).active[0]?.id;
    });
    await until('the heart beats', () => existsSync(join(scene.outDir, '.catchupd', 'heartbeat')));
    const told = await scene.ask(['cancel', id, '--out-dir', scene.outDir]);
    expect(told).toMatchObject({ code: 0, stdout: `${id} (Long) is cancelled\n` });
    expect(filesUnder(join(scene.outDir, '.catchupd', 'commands'))).toEqual([]);
    expect((await scene.ask(['keep', 'ffff', '--out-dir', scene.outDir])).stderr).toContain(
      'recording_unknown',
    );
    daemon.signal('SIGTERM');
    expect((await daemon.exited).code).toBe(0);
  }, 120_000);
});
