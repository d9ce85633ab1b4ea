/** The commands, each as people and scripts run it. */
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  BRISK,
  channel,
  filesUnder,
  guideText,
  json,
  listText,
  nothingYet,
  openScene,
  programme,
  soon,
  titles,
  until,
} from './scene.js';

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z$/;

/** Status of a GET with headers that `fetch` would not let through. */
function statusOf(url: string, headers: Readonly<Record<string, string>>): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.on('error', reject).end();
  });
}

describe.concurrent('commands that ask', () => {
  it('plan, why and doctor say what would be recorded, in the agreed form', async ({ onTestFinished }) => {
    const scene = openScene(onTestFinished);
    const now = soon();
    writeFileSync(scene.path('list.m3u'), listText({ one: 'http://127.0.0.1:9/1.ts' }));
    const shows = [
      programme('one.tv', 'City vs United', now - 60_000, 3_600),
      programme('one.tv', 'Evening News', now + 7_200_000, 1_800),
    ];
    writeFileSync(scene.path('guide.xml'), guideText('one.tv', shows));
    const words = ['--m3u', scene.path('list.m3u'), '--xmltv', scene.path('guide.xml')];
    words.push('--lanes', 'sports', '--out-dir', scene.outDir);
    const before = filesUnder(scene.folder);

    const plan = await scene.ask(['plan', ...words, '--json']);
    expect(plan.code).toBe(0);
    const answer = JSON.parse(plan.stdout) as { generated_at: string; decisions: unknown[] };
    expect(answer.generated_at).toMatch(RFC3339);
    expect(answer.decisions).toHaveLength(2);
    expect(answer.decisions[0]).toEqual(
      expect.objectContaining({
        capsule_id: expect.stringMatching(/^dna-[0-9a-f]{16}:\d{12}:city-vs-united$/) as string,
        record_key: expect.stringContaining('|city vs united') as string,
        title: 'City vs United',
        channel_id: 'one.tv',
        channel_name: 'Channel one',
        lane: 'sports',
        start: expect.stringMatching(RFC3339) as string,
        stop: expect.stringMatching(RFC3339) as string,
        action: 'record',
        reason: 'in_progress',
        priority: 30,
        expires_at: expect.stringMatching(RFC3339) as string,
      }),
    );
    expect(answer.decisions[1]).toMatchObject({
      title: 'Evening News',
      action: 'skip',
      reason: 'lane_excluded',
    });
    expect((await scene.ask(['plan', ...words])).stdout).toMatch(/^START +ACTION/);

    const why = await scene.ask(['why', ...words, '--json', 'evening']);
    expect(why.code).toBe(0);
    expect(JSON.parse(why.stdout)).toMatchObject({ decisions: [{ reason: 'lane_excluded' }] });
    const nothing = await scene.ask(['why', ...words, 'no', 'such', 'thing']);
    expect(nothing.code).toBe(1);
    expect(nothing.stdout + nothing.stderr).toContain('no such thing');

    const nested = ['--out-dir', scene.path('not/there/yet')];
    const doctor = await scene.ask(['doctor', ...words, ...nested, '--json', '--disk-free-min', '0']);
    expect(doctor.code).toBe(0);
    expect(JSON.parse(doctor.stdout)).toMatchObject({ ok: true });
    expect(doctor.stdout).toContain(`${join('not', 'there', 'yet')} (to be made)`);
    expect(filesUnder(scene.folder)).toEqual(before);
  });

  it('doctor tells a guide that is over from one that knows no channel of the list, and looks at the rules', async ({
    onTestFinished,
  }) => {
    const scene = openScene(onTestFinished);
    const ask = async (id: string, at: number, ...more: string[]) => {
      writeFileSync(scene.path('list.m3u'), listText({ one: 'http://127.0.0.1:9/1.ts' }));
      writeFileSync(scene.path('guide.xml'), guideText(id, [programme(id, 'A Talk', at, 1_800)]));
      const words = [
        '--m3u',
        scene.path('list.m3u'),
        '--xmltv',
        scene.path('guide.xml'),
        '--disk-free-min',
        '0',
      ];
      const { code, stdout } = await scene.ask([
        'doctor',
        ...words,
        ...more,
        '--out-dir',
        scene.outDir,
        '--json',
      ]);
      expect(code).toBe(1);
      const { checks } = JSON.parse(stdout) as { checks: { ok: boolean; detail: string }[] };
      return checks.filter(({ ok }) => !ok).map(({ detail }) => /[a-z]+_[a-z]+/.exec(detail)?.[0]);
    };
    expect(await ask('one.tv', soon(-86_400))).toEqual(['guide_over']);
    expect(await ask('other.tv', soon(600))).toEqual(['nothing_matched']);
    // Nothing is recorded by rules that cannot be read.
    expect(await ask('one.tv', soon(600), '--rules', scene.path('none.json'))).toEqual(['rules_unreadable']);
  });

  it('doctor says what to give where no guide is named, and does not send to itself', async ({
    onTestFinished,
  }) => {
    const scene = openScene(onTestFinished);
    writeFileSync(scene.path('list.m3u'), listText({ one: 'http://127.0.0.1:9/1.ts' }));
    const list = ['--m3u', scene.path('list.m3u'), '--out-dir', scene.outDir, '--disk-free-min', '0'];
    const { code, stdout } = await scene.ask(['doctor', ...list, '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      checks: expect.arrayContaining([
        expect.objectContaining({ ok: false, next: expect.stringMatching(/^Give --xmltv/) as string }),
      ]) as unknown,
    });
  });

  it('report and health answer beside a daemon and without one', async ({ onTestFinished }) => {
    const scene = openScene(onTestFinished);
    const place = ['--out-dir', scene.outDir];
    const never = await scene.ask(['report', ...place]);
    expect(never).toMatchObject({ code: 1, stdout: '' });
    expect(never.stderr).toContain(`catchupd: state_missing: ${join(scene.outDir, 'recorder-state.json')}`);
    expect((await scene.ask(['health', ...place])).code).toBe(1);

    const provider = await scene.provider({ channels: [channel('one')], programmes: nothingYet('one.tv') });
    const daemon = scene.daemon(['--m3u', provider.m3uUrl]);
    await daemon.ready();
    await provider.setProgrammes([programme('one.tv', 'Long', soon(-5), 600)]);
    await daemon.sees('it is recorded', ({ active }) => active[0]?.machine_state === 'spooling');
    const asked = await scene.ask(['report', ...place]);
    expect(asked.code).toBe(0);
    const { active } = JSON.parse(asked.stdout) as { active: object[] };
    expect(active).toEqual([
      expect.objectContaining({ title: 'Long', machine_state: 'spooling', status: 'recording' }),
    ]);
    expect(active[0]).not.toHaveProperty('outcome');
    const health = await scene.ask(['health', ...place, '--json']);
    expect(health.code).toBe(0);
    expect(JSON.parse(health.stdout)).toMatchObject({ alive: true, listen: await daemon.url() });

    expect(await daemon.stop()).toMatchObject({ code: 0 });
    const after = await scene.ask(['report', ...place, '--table']);
    expect(after.code).toBe(0);
    expect(after.stdout).toContain('Long');
    expect((await scene.ask(['health', ...place])).code).toBe(1);
  });
});

describe.concurrent('commands that record', () => {
  it('record takes what is on now and says what it has', async ({ onTestFinished }) => {
    const scene = openScene(onTestFinished);
    const provider = await scene.provider({ channels: [channel('one'), channel('two')] });
    const now = soon();
    await provider.setProgrammes([
      programme('one.tv', 'On Now', now - 5_000, 20),
      programme('two.tv', 'Comes Later', now + 60_000, 60),
    ]);
    const words = ['record', '--m3u', provider.m3uUrl, '--out-dir', scene.outDir, '--json'];
    const answer = await scene.ask([...words, ...BRISK]);
    expect(answer.code).toBe(0);
    const manifest = json(join(scene.outDir, 'record-manifest.json'));
    expect(JSON.parse(answer.stdout)).toEqual(manifest);
    const [path] = filesUnder(scene.outDir).filter((name) => name.endsWith('.ts'));
    expect(path).toMatch(/^general\/dna-.*-on-now\.ts$/);
    expect(manifest).toMatchObject({
      root_dir: scene.outDir,
      recorded: [
        {
          title: 'On Now',
          lane: 'general',
          channel_id: 'one.tv',
          output_path: join(scene.outDir, path ?? ''),
          bytes: expect.any(Number) as number,
        },
      ],
    });
    expect(manifest['recorded']).toHaveLength(1);
    expect(await provider.asked('two')).toBe(0);
    const stem = (path ?? '').replace(/\.ts$/, '');
    const beside = [`${stem}.catchupd.json`, `${stem}.nfo`, `${stem}.ts`];
    expect(filesUnder(join(scene.outDir, 'general')).map((name) => `general/${name}`)).toEqual(beside);
  });

  it('run --once ends when what was on has ended', async ({ onTestFinished }) => {
    const scene = openScene(onTestFinished);
    const provider = await scene.provider({ channels: [channel('one')] });
    await provider.setProgrammes([programme('one.tv', 'Once', soon(-5), 30)]);
    const daemon = scene.daemon(['--m3u', provider.m3uUrl, '--once']);
    expect(await daemon.exited).toEqual({ code: 0, signal: null });
    expect(filesUnder(scene.publishDir).filter((name) => name.endsWith('.ts'))).toHaveLength(1);
  });

  it('run --run-for does then what SIGTERM does', async ({ onTestFinished }) => {
    const scene = openScene(onTestFinished);
    const provider = await scene.provider({ channels: [channel('one')] });
    await provider.setProgrammes([programme('one.tv', 'Long', soon(-5), 600)]);
    // Long enough to have begun, beside all the others of this file.
    const daemon = scene.daemon(['--m3u', provider.m3uUrl, '--run-for', '15s']);
    expect(await daemon.exited).toEqual({ code: 0, signal: null });
    const { active } = JSON.parse((await scene.ask(['report', '--out-dir', scene.outDir])).stdout) as {
      active: Parameters<typeof titles>[0];
    };
    expect(titles(active)).toEqual(['Long']);
    expect(filesUnder(scene.outDir).filter((name) => name.endsWith('.partial.ts'))).toHaveLength(1);
  });

  it('SIGHUP reads sources again and leaves captures alone', async ({ onTestFinished }) => {
    const scene = openScene(onTestFinished);
    const provider = await scene.provider({ channels: [channel('one')], programmes: nothingYet('one.tv') });
    const daemon = scene.daemon(['--m3u', provider.m3uUrl, '--poll-interval', '500ms']);
    await daemon.ready();
    const now = soon();
    const shows = [programme('one.tv', 'On Air', now - 1_000, 600)];
    await provider.setProgrammes(shows);
    await daemon.sees('it is recorded', ({ active }) => active[0]?.machine_state === 'spooling');
    daemon.signal('SIGHUP');
    await until('it says so', () => daemon.lines().find(({ msg }) => String(msg).includes('read again')));
    await provider.setProgrammes([...shows, programme('one.tv', 'After', now + 600_000, 600)]);
    const report = await daemon.sees('the next is known', ({ active }) => active.length === 2);
    expect(report.active.find(({ title }) => title === 'On Air')).toMatchObject({
      machine_state: 'spooling',
      attempt: 1,
    });
    expect(daemon.isRunning()).toBe(true);
    expect(await provider.asked('one')).toBe(1);
  });

  it('demo says where it is, serves, and ends when told', async ({ onTestFinished }) => {
    const scene = openScene(onTestFinished);
    const demo = scene.start(['demo', '--listen', '127.0.0.1:0']);
    const address = await until(
      'it says its addresses',
      () => /http:\S+\/lineup\.m3u/.exec(demo.stdout())?.[0],
    );
    expect(demo.stdout()).toMatch(/http:\S+\/guide\.xml/);
    const list = await (await fetch(address)).text();
    expect(list.match(/#EXTINF/g)).toHaveLength(4);
    demo.signal('SIGTERM');
    expect(await demo.exited).toEqual({ code: 0, signal: null });
    expect(filesUnder(scene.folder)).toEqual([]);
  });
});

describe.concurrent('the HTTP door', () => {
  it('answers this machine and nobody who comes another way', async ({ onTestFinished }) => {
    const scene = openScene(onTestFinished);
    writeFileSync(scene.path('list.m3u'), listText({ one: 'http://127.0.0.1:9/1.ts' }));
    writeFileSync(scene.path('guide.xml'), guideText('one.tv', nothingYet('one.tv')));
    const daemon = scene.daemon(['--m3u', scene.path('list.m3u'), '--xmltv', scene.path('guide.xml')]);
    await daemon.ready();
    const base = await daemon.url();
    const report = `${base}/recordings/recorder.json?limit=1`;
    expect((await fetch(report)).status).toBe(200);
    expect(await statusOf(report, { host: 'attacker.example' })).toBe(403);
    expect(await statusOf(report, { 'x-forwarded-for': '203.0.113.7' })).toBe(403);
    expect(await statusOf(report, { via: '1.1 proxy' })).toBe(403);
    expect(await statusOf(`${base}/healthz`, { host: 'attacker.example' })).toBe(200);
    expect(await statusOf(`${base}/readyz`, { 'x-forwarded-for': '203.0.113.7' })).toBe(200);
    const refused = await fetch(`${base}/recordings/recorder.json`, { method: 'DELETE' });
    expect(refused.status).toBe(405);
    expect(await refused.json()).toMatchObject({
      error: {
        code: 'method_not_allowed',
        message: expect.any(String) as string,
        hint: expect.any(String) as string,
      },
    });
    expect((await fetch(`${base}/no/such/thing`)).status).toBe(404);
  });

  it('asks for the token where it is open to others', async ({ onTestFinished }) => {
    const scene = openScene(onTestFinished);
    writeFileSync(scene.path('list.m3u'), listText({ one: 'http://127.0.0.1:9/1.ts' }));
    writeFileSync(scene.path('guide.xml'), guideText('one.tv', nothingYet('one.tv')));
    writeFileSync(scene.path('token'), 'tok-s3cret\n', { mode: 0o600 });
    const words = ['--m3u', scene.path('list.m3u'), '--xmltv', scene.path('guide.xml')];
    words.push('--listen', '0.0.0.0:0', '--api-token-file', scene.path('token'));
    const daemon = scene.daemon(words);
    const base = (await daemon.url()).replace('0.0.0.0', '127.0.0.1');
    const report = `${base}/recordings/recorder.json`;
    expect((await fetch(report)).status).toBe(401);
    expect((await fetch(report, { headers: { authorization: 'Bearer wrong' } })).status).toBe(401);
    expect((await fetch(report, { headers: { authorization: 'Bearer tok-s3cret' } })).status).toBe(200);
    expect((await fetch(`${report}?token=tok-s3cret`)).status).toBe(200);
    expect((await fetch(`${base}/healthz`)).status).toBe(200);
    expect(daemon.stderr()).not.toContain('tok-s3cret');
  });
});
