/** From a finished recording into media servers: real processes, real sockets, and servers as strict as the real ones. */
import { createHmac } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startFakeEmby } from '../fakes/emby.js';
import { startFakeJellyfin } from '../fakes/jellyfin.js';
import type { FakeMediaServer, FakeOptions } from '../fakes/mediaServer.js';
import { startMoved } from '../fakes/moved.js';
import { startFakePlex } from '../fakes/plex.js';
import { selfSigned } from '../fakes/selfSigned.js';
import {
  channel,
  filesUnder,
  nothingYet,
  openScene,
  programme,
  said,
  soon,
  until,
  type Scene,
} from './scene.js';

type OnFinished = Parameters<typeof openScene>[0];

/** Servers that see our folders under another name. */
async function threeServers(scene: Scene, onFinished: OnFinished) {
  const options: FakeOptions = {
    token: 's3cret-token',
    folderExists: (path) => existsSync(path.replace(/^\/media/, scene.publishDir)),
  };
  const servers = {
    plex: await startFakePlex(options),
    jellyfin: await startFakeJellyfin(options),
    emby: await startFakeEmby(options),
  };
  onFinished(async () => void (await Promise.all(Object.values(servers).map((each) => each.close()))));
  const words = ['--path-map', `${scene.publishDir}=/media`];
  for (const [name, { url, token }] of Object.entries(servers))
    words.push(`--register-${name}`, `--${name}-url`, url, `--${name}-token`, token);
  return { ...servers, all: Object.values(servers), words };
}

interface Heard {
  readonly event: string;
  readonly signature: string;
  readonly expected: string;
  readonly body: Record<string, unknown>;
}

/** A webhook's other end; it refuses the first few. */
async function startHook(onFinished: OnFinished, refusals = 0) {
  const heard: Heard[] = [];
  let left = refusals;
  const hook = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => void chunks.push(chunk));
    request.on('end', () => {
      left -= 1;
      response.writeHead(left >= 0 ? 503 : 204).end();
      if (left >= 0) return;
      const body = Buffer.concat(chunks);
      heard.push({
        event: String(request.headers['x-catchupd-event']),
        signature: String(request.headers['x-catchupd-signature']),
        expected: `sha256=${createHmac('sha256', 'shared').update(body).digest('hex')}`,
        body: JSON.parse(body.toString()) as Record<string, unknown>,
      });
    });
  });
  await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
  onFinished(async () => {
    hook.closeAllConnections();
    await new Promise((resolve) => hook.close(resolve));
  });
  const { port } = hook.address() as AddressInfo;
  return { heard, url: `http://127.0.0.1:${port}/x` };
}

const names = ({ libraries }: FakeMediaServer) => libraries.map(({ name }) => name).toSorted();
const LIBRARIES = ['Catchup General', 'Catchup Movies', 'Catchup Sports'];

describe.concurrent('media servers', () => {
  it('are shown a finished recording, one folder each, and told when it is gone, also where one has moved to https', async ({
    onTestFinished,
  }) => {
    const scene = openScene(onTestFinished);
    const provider = await scene.provider({ channels: [channel('one')], programmes: nothingYet('one.tv') });
    const { all, words: given, jellyfin } = await threeServers(scene, onTestFinished);
    const certificate = selfSigned();
    writeFileSync(scene.path('ca.pem'), certificate.cert);
    const around = { env: { NODE_EXTRA_CA_CERTS: scene.path('ca.pem') } };
    const moved = await startMoved(jellyfin.url, certificate);
    onTestFinished(() => moved.close());
    const words = given.map((word) => (word === jellyfin.url ? moved.url : word));
    const seenAtScan: boolean[] = [];
    const daemon = scene.daemon(
      [...words, '--m3u', provider.m3uUrl, '--defer-library-refresh', '--keep', 'general=8s'],
      around,
    );
    await daemon.ready();
    await until('all libraries are there', () => all.every(({ libraries }) => libraries.length === 3));
    const doctor = await scene.ask(
      ['doctor', '--json', ...words, '--publish-dir', scene.publishDir, '--m3u', provider.m3uUrl],
      around,
    );
    expect(doctor.stdout).toContain('Fake Plex 1.43.1, 3 libraries there, 0 to be made');
    const now = soon(4);
    await provider.setProgrammes([programme('one.tv', 'News', now, 3)]);
    const report = await daemon.sees('it is published', ({ completed }) => completed.length === 1);
    const published = report.completed[0];
    const folder = (published && 'published_dir' in published ? published.published_dir : '').replace(
      scene.publishDir,
      '/media',
    );
    expect(folder).toMatch(/^\/media\/general\/News-/);
    await until('each was told', () => {
      const told = all.every(({ scans }) => scans.length > 0);
      if (told && seenAtScan.length === 0) {
        const manifest = readFileSync(join(scene.publishDir, 'recorded-publish-manifest.json'), 'utf8');
        seenAtScan.push(manifest.includes('News'));
      }
      return told;
    });
    await until('each was told that it is gone', () => all.every(({ scans }) => scans.length > 1));
    for (const server of all) {
      expect(server.scans.map((scan) => scan.folder)).toEqual([folder, folder]);
      expect(server.wholeScans).toEqual([]);
      expect(names(server)).toEqual(LIBRARIES);
    }
    expect(existsSync(folder.replace('/media', scene.publishDir))).toBe(false);
    expect(seenAtScan).toEqual([true]);
    expect(moved.secure()).toBeGreaterThan(0);
    expect(doctor.stdout).toContain('Fake Jellyfin');
    expect((await daemon.stop()).code).toBe(0);
  });

  it('that were down get what they are owed when they are back, and no library twice, though the recorder is killed in between', async ({
    onTestFinished,
  }) => {
    const scene = openScene(onTestFinished);
    const provider = await scene.provider({ channels: [channel('one')], programmes: nothingYet('one.tv') });
    const { all, plex, emby, jellyfin, words } = await threeServers(scene, onTestFinished);
    emby.libraries.push({ id: '3', name: 'Old News', type: 'movies', locations: ['/media/general'] });
    await plex.down();
    jellyfin.setMood({ kind: 'status', status: 503 });
    const run = [...words, '--m3u', provider.m3uUrl];
    const daemon = scene.daemon(run);
    await daemon.ready();
    await provider.setProgrammes([programme('one.tv', 'News', soon(4), 3)]);
    await daemon.sees('it is published', ({ completed }) => completed.length === 1);
    await until('the one that is up was told', () => emby.scans.length === 1);
    await until('it said so', () => said(daemon, 'server_unreachable') && said(daemon, 'server_failing'));
    daemon.signal('SIGKILL');
    await daemon.exited;

    await plex.up();
    jellyfin.setMood({ kind: 'well' });
    const again = scene.daemon(run);
    await until('all were told', () => all.every(({ scans }) => scans.length > 0), 60_000);
    await until(
      'all libraries are there',
      () => all.every(({ libraries }) => libraries.length === 3),
      60_000,
    );
    expect((await again.stop()).code).toBe(0);
    const third = scene.daemon(run);
    await third.ready();
    await until('libraries were looked for once more', () =>
      all.every(
        (server) =>
          server.requests.filter(({ method, status }) => method === 'GET' && status === 200).length > 4,
      ),
    );
    expect((await third.stop()).code).toBe(0);
    expect([names(plex), names(jellyfin)]).toEqual([LIBRARIES, LIBRARIES]);
    expect(names(emby)).toEqual(['Catchup Movies', 'Catchup Sports', 'Old News']);
    // A kill between the call and the note of it makes it come twice, never not at all.
    for (const { scans, wholeScans } of all)
      expect([new Set(scans.map(({ folder }) => folder)).size, wholeScans]).toEqual([1, []]);
  });

  it('that refuse the token are left alone and said, until the configuration is read again; nothing goes out that is off; a lane of series is one to them; a webhook hears of all that went wrong', async ({
    onTestFinished,
  }) => {
    const scene = openScene(onTestFinished);
    const channels = [channel('one'), channel('dead')];
    const provider = await scene.provider({ channels, programmes: nothingYet('one.tv') });
    await provider.behave('dead', { status: 404 });
    const { heard, url } = await startHook(onTestFinished);
    const options = { token: 'right', folderExists: existsSync };
    const [first, second] = [await startFakeEmby(options), await startFakeEmby(options)];
    onTestFinished(async () => void (await Promise.all([first.close(), second.close()])));
    mkdirSync(scene.path('etc'));
    const config = (token: string) =>
      writeFileSync(
        scene.path('etc', 'catchupd.yaml'),
        [
          'library-prefix: TV',
          'lane-definitions: [{ name: general, kind: shows }]',
          `webhooks: [{ url: "${url}" }]`,
          'media-servers:',
          `  - { kind: emby, name: attic, url: "${first.url}", token: "${token}" }`,
          `  - { kind: emby, url: "${second.url}", token-file: second.token }`,
          '',
        ].join('\n'),
      );
    writeFileSync(scene.path('etc', 'second.token'), 'right\n', { mode: 0o644 });
    config('wrong');
    const daemon = scene.daemon(['--config', scene.path('etc', 'catchupd.yaml'), '--m3u', provider.m3uUrl]);
    await daemon.ready();
    await until('it is said', () => said(daemon, 'server_refused'));
    await until('the other has its libraries', () => second.libraries.length === 3);
    expect(names(second)).toEqual(['TV General', 'TV Movies', 'TV Sports']);
    const at = soon(4);
    await provider.setProgrammes([programme('one.tv', 'News', at, 3), programme('dead.tv', 'Dead', at, 3)]);
    await until('the other was told', () => second.scans.length === 1);
    const year = new Date().getUTCFullYear();
    const season = scene.path('library', 'general', 'News', `Season ${year}`);
    expect(second.scans.map(({ folder }) => folder)).toEqual([season]);
    expect(second.libraries.find(({ name }) => name === 'TV General')?.type).toBe('tvshows');
    expect(filesUnder(scene.path('library', 'general'))).toEqual([
      expect.stringMatching(/^News\/Season \d+\/News - \d+-\d\d-\d\d \d\d-\d\d\.catchupd\.json$/),
      expect.stringMatching(/\.nfo$/),
      expect.stringMatching(/\d\d-\d\d\.ts$/),
      'News/tvshow.nfo',
    ]);
    expect(first.requests.map(({ status }) => status)).toEqual([401]);
    expect(daemon.stderr()).toContain('may be read by others (0644)');
    config('right');
    daemon.signal('SIGHUP');
    await until('it is told after all', () => first.scans.length === 1);
    await until('it has all libraries', () => first.libraries.length === 3);
    await provider.setProgrammes([]);
    const events = ['failed', 'guide_held', 'published', 'server_refused'];
    await until(
      'all of it was told',
      () => new Set(heard.map(({ event }) => event)).size === events.length,
      60_000,
    );
    expect([...new Set(heard.map(({ event }) => event))].toSorted()).toEqual(events);
    const bodyOf = (event: string) => heard.find((each) => each.event === event)?.body;
    expect(bodyOf('failed')).toMatchObject({ recording: { title: 'Dead', outcome: 'empty' } });
    expect(bodyOf('guide_held')).toMatchObject({ reason: 'empty' });
    expect(bodyOf('server_refused')).toMatchObject({ server: 'attic' });
    expect(JSON.stringify(heard)).not.toContain('wrong');
    await daemon.stop();
  });
});

describe.concurrent('others who are told', () => {
  it('hear of what was published, signed and once, and a program runs with a title that is no command', async ({
    onTestFinished,
  }) => {
    const scene = openScene(onTestFinished);
    const provider = await scene.provider({ channels: [channel('one')], programmes: nothingYet('one.tv') });
    const { heard, url } = await startHook(onTestFinished, 1);
    const config = scene.path('catchupd.yaml');
    writeFileSync(config, `webhooks: [{ url: "${url}", secret: shared }]\n`);
    const ran = scene.path('ran');
    const program = `require('fs').appendFileSync(process.argv[1], JSON.stringify([process.env.CATCHUPD_TITLE, process.argv[2]]) + '\\n')`;
    const title = `Tom & Jerry; touch ${scene.path('pwned')} $(id)`;
    const daemon = scene.daemon([
      '--m3u',
      provider.m3uUrl,
      '--config',
      config,
      '--on-published',
      `${process.execPath} -e "${program}" ${ran} {path}`,
    ]);
    await daemon.ready();
    await provider.setProgrammes([programme('one.tv', title.replaceAll('&', '&amp;'), soon(4), 3)]);
    await until('the program ran', () => existsSync(ran), 60_000);
    await until('the hook heard of it', () => heard.length > 0, 60_000);
    const [line = ''] = readFileSync(ran, 'utf8').split('\n');
    const [shown, path] = JSON.parse(line) as [string, string];
    expect(shown).toContain('; touch ');
    expect(existsSync(path)).toBe(true);
    expect(existsSync(scene.path('pwned'))).toBe(false);
    expect(heard.map(({ event }) => event)).toEqual(['published']);
    expect(heard[0]?.signature).toBe(heard[0]?.expected);
    expect(heard[0]?.body).toMatchObject({
      event: 'published',
      recording: { machine_state: 'published', outcome: 'complete' },
    });
    expect((await daemon.stop()).code).toBe(0);
  });
});

describe.concurrent('a webhook', () => {
  it('hears of what was joined late, of what no connection was left for, and of a disk on which nothing starts', async ({
    onTestFinished,
  }) => {
    const scene = openScene(onTestFinished);
    const channels = [channel('one'), channel('two')];
    const provider = await scene.provider({ channels, programmes: nothingYet('one.tv') });
    const { heard, url } = await startHook(onTestFinished);
    writeFileSync(scene.path('catchupd.yaml'), `webhooks: [{ url: "${url}" }]\n`);
    const words = ['--m3u', provider.m3uUrl, '--config', scene.path('catchupd.yaml')];
    const daemon = scene.daemon([...words, '--max-concurrency', '1']);
    await daemon.ready();
    const at = soon(-30);
    await provider.setProgrammes([programme('one.tv', 'Left', at, 45), programme('two.tv', 'Right', at, 45)]);
    const heardOf = (event: string) => heard.filter((each) => each.event === event);
    await until('both were told', () => heardOf('partial').length + heardOf('missed').length === 2, 60_000);
    const said = [...heardOf('partial'), ...heardOf('missed')].map(({ body }) => body['recording']);
    expect(said).toMatchObject([
      { outcome: 'partial', outcome_reason: 'joined_in_progress' },
      { outcome: 'missed' },
    ]);
    expect(new Set(said.map((item) => (item as { title: string }).title))).toEqual(
      new Set(['Left', 'Right']),
    );
    expect((await daemon.stop()).code).toBe(0);
    const next = scene.daemon([...words, '--disk-free-min', '1000TiB']);
    await next.ready();
    await until('the disk was told', () => heardOf('disk').length > 0, 60_000);
    expect(heardOf('disk')[0]?.body).toMatchObject({ event: 'disk', resolved: false });
    expect((await next.stop()).code).toBe(0);
  });
});

describe('options of media servers', () => {
  it.each([
    ['a folder', ['--register-plex', '--plex-url', 'http://nas:32400', '--plex-token', 'x'], '--publish-dir'],
    [
      'an address',
      ['--publish-dir', 'lib', '--register-jellyfin', '--jellyfin-token', 'x'],
      '--jellyfin-url',
    ],
    ['a token', ['--publish-dir', 'lib', '--register-emby', '--emby-url', 'nas'], '--emby-token'],
    ['a mapping', ['--publish-dir', 'lib', '--path-map', 'nonsense'], '/here=/there'],
    ['a server', ['--publish-dir', 'lib', '--path-map', 'attic:/a=/b'], 'attic'],
  ])('want %s', async (_, words, needed) => {
    const ends: (() => Promise<void>)[] = [];
    const scene = openScene((end) => void ends.push(end));
    const { code, stderr } = await scene.ask(['run', '--m3u', 'x.m3u', ...words]);
    expect([code, stderr.includes(needed)]).toEqual([2, true]);
    expect(existsSync(scene.outDir)).toBe(false);
    await Promise.all(ends.map((end) => end()));
  });
});
