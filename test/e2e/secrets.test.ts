/** Credentials are in no file but the one that may hold them, and in no word that is said. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  channel,
  filesUnder,
  freePort,
  modeOf,
  nothingYet,
  openScene,
  programme,
  soon,
  until,
} from './scene.js';
import { startFakeJellyfin } from '../fakes/jellyfin.js';
import { startFakePlex } from '../fakes/plex.js';

const SECRETS = [
  'anna-login',
  's3cret-path',
  's3cret-userinfo',
  's3cret-query',
  's3cret-guide',
  's3cret-api',
  's3cret-plex',
  's3cret-jellyfin',
  's3cret-emby',
  's3cret-hook',
  's3cret-sign',
];

function leaks(text: string): string[] {
  return SECRETS.filter((secret) => text.includes(secret));
}

describe.concurrent('credentials', () => {
  it('are shown nowhere, whatever is logged', async ({ onTestFinished }) => {
    const scene = openScene(onTestFinished);
    const provider = await scene.provider({
      channels: ['one', 'two', 'three'].map((id) => channel(id)),
      programmes: nothingYet('one.tv'),
    });
    const { host } = new URL(provider.url);
    const gone = `http://anna-login:s3cret-userinfo@127.0.0.1:${await freePort()}`;
    const urls = {
      one: [`http://${host}/live/anna-login/s3cret-path/one.ts`],
      two: [`http://anna-login:s3cret-userinfo@${host}/live/two.ts?token=s3cret-query`],
      three: [`${gone}/live/anna-login/s3cret-path/3.ts?password=s3cret-query`],
    };
    const rows = Object.entries(urls).map(([id, stream_urls]) => ({
      channel_id: id,
      guide_name: `Channel ${id}`,
      tvg_id: `${id}.tv`,
      stream_urls,
    }));
    const catalog = scene.path('catalog.json');
    writeFileSync(catalog, JSON.stringify({ movies: [], series: [], live_channels: rows }));
    const words = [
      '--catalog',
      catalog,
      '--m3u',
      `${gone}/get.php?username=anna-login&password=s3cret-query`,
    ];
    words.push('--xmltv', `http://${host}/guide.xml?username=anna-login&password=s3cret-guide`);
    words.push('--xmltv', `${gone}/xmltv.php?username=anna-login&password=s3cret-guide`);
    // Media servers and a webhook that answer, that refuse, and that are not there.
    const plex = await startFakePlex({ token: 's3cret-plex' });
    const jellyfin = await startFakeJellyfin({ token: 'another' });
    onTestFinished(async () => void (await Promise.all([plex.close(), jellyfin.close()])));
    const tokenFile = scene.path('plex.token');
    writeFileSync(tokenFile, 's3cret-plex', { mode: 0o600 });
    words.push(
      '--publish-dir',
      scene.publishDir,
      '--register-plex',
      '--plex-url',
      plex.url,
      '--plex-token-file',
      tokenFile,
    );
    words.push(
      '--register-jellyfin',
      '--jellyfin-url',
      jellyfin.url.replace('//', '//anna-login:s3cret-userinfo@'),
    );
    words.push('--register-emby', '--emby-url', gone);
    const config = scene.path('catchupd.yaml');
    const hook = `{ url: "${jellyfin.url}/api/s3cret-hook", secret: s3cret-sign }`;
    writeFileSync(config, `webhooks:\n  - ${hook}\n  - { url: "${gone}/s3cret-hook", form: discord }\n`);
    words.push('--config', config);
    const env = {
      CATCHUPD_RECORD_RETRY_BACKOFF: '50ms',
      CATCHUPD_JELLYFIN_TOKEN: 's3cret-jellyfin',
      IPTV_TUNERR_EMBY_TOKEN: 's3cret-emby',
    };
    const daemon = scene.daemon([...words, '--log-level', 'trace', '--api-token', 's3cret-api'], {
      env,
    });
    await daemon.ready();
    const now = soon(2);
    const shows = ['one', 'two', 'three'].map((id) => programme(`${id}.tv`, `Show ${id}`, now, 3));
    await provider.setProgrammes(shows);
    const report = await daemon.sees(
      'all have ended',
      ({ completed, failed }) => completed.length === 2 && failed.length === 1,
    );
    await until('servers have said what they have to say', () => {
      const codes = daemon.lines().map(({ code }) => code);
      return (
        plex.scans.length > 0 && codes.includes('server_refused') && codes.includes('server_unreachable')
      );
    });
    const base = await daemon.url();
    const asked = [
      'healthz',
      'readyz',
      'recordings/recorder.json',
      'no/such',
      'recordings/x?token=s3cret-api',
    ];
    const said = await Promise.all(asked.map(async (path) => (await fetch(`${base}/${path}`)).text()));
    said.push(JSON.stringify(report));
    const places = ['--out-dir', scene.outDir, '--log-level', 'trace'];
    for (const command of [['plan', '--json'], ['plan'], ['why', 'show'], ['doctor'], ['doctor', '--json']]) {
      const answer = await scene.ask([...command, ...words, ...places], { env });
      said.push(answer.stdout, answer.stderr);
    }
    const written = await scene.ask(['report', '--out-dir', scene.outDir]);
    said.push(written.stdout, written.stderr);
    await daemon.stop();
    said.push(daemon.stdout(), daemon.stderr());
    expect(said.flatMap(leaks)).toEqual([]);
    expect(daemon.lines().length).toBeGreaterThan(10);

    const secret = join(scene.outDir, '.catchupd', 'sources.json');
    expect(leaks(readFileSync(secret, 'utf8'))).not.toEqual([]);
    expect(modeOf(secret)).toBe(0o600);
    for (const folder of [scene.outDir, scene.publishDir])
      for (const name of filesUnder(folder)) {
        const path = join(folder, name);
        if (path !== secret) expect([path, leaks(readFileSync(path, 'latin1'))]).toEqual([path, []]);
      }
  });

  it('are hidden in what a refusal quotes', async ({ onTestFinished }) => {
    const scene = openScene(onTestFinished);
    const url = 'http://anna-login:s3cret-userinfo@127.0.0.1:1/get.php?password=s3cret-query';
    const run = scene.start([
      'run',
      '--m3u',
      url,
      '--xmltv',
      url,
      '--out-dir',
      scene.outDir,
      '--log-level',
      'trace',
    ]);
    await until('it is refused', () => run.stderr().includes('ECONNREFUSED'));
    const plan = await scene.ask(['plan', '--m3u', url, '--xmltv', url]);
    const usage = await scene.ask(['run', '--m3u', url.replace('http', 'rtsp'), '--listen', url]);
    expect([plan.code, usage.code]).toEqual([1, 2]);
    expect(plan.stderr).toContain('http://***@127.0.0.1:1/get.php');
    const all = [run, plan, usage].map(({ stdout, stderr }) =>
      [stdout, stderr].map((text) => (typeof text === 'string' ? text : text())).join('\n'),
    );
    expect(all.flatMap(leaks)).toEqual([]);
  });
});
