/** Where settings come from and which of them wins; what a config file may hold. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSettings } from '../../src/config/file.js';
import type { CommandName } from '../../src/config/optionRow.js';
import { OPTIONS } from '../../src/config/optionTable.js';
import { envName, optionsOf, settableOptions } from '../../src/config/options.js';
import { absolutePath, isInside } from '../../src/config/paths.js';
import { resolveConfig } from '../../src/config/resolve.js';
import { editDistance, nearest } from '../../src/config/suggest.js';

interface Given {
  readonly line?: Record<string, string[]>;
  readonly env?: Record<string, string>;
  readonly files?: Record<string, string>;
  readonly command?: CommandName;
}

function resolve({ line = {}, env = {}, files = {}, command = 'run' }: Given) {
  return resolveConfig({
    command,
    line: new Map(Object.entries(line)),
    env,
    cwd: '/home/me',
    readFile: (path) => {
      const text = files[path];
      if (text !== undefined) return Promise.resolve(text);
      return Promise.reject(Object.assign(new Error('nothing there'), { code: 'ENOENT' }));
    },
  });
}

describe('precedence', () => {
  const places = ['line', 'env', 'fallback', 'file'] as const;

  it('is option, environment, the environment of iptv-tunerr, config file, default', async () => {
    await fc.assert(
      fc.asyncProperty(fc.subarray([...places]), async (present) => {
        const has = (place: (typeof places)[number]) => present.includes(place);
        const { config, given } = await resolve({
          line: has('line') ? { 'guide-policy': ['strict'], catalog: ['line'] } : {},
          env: {
            ...(has('env') ? { CATCHUPD_CATALOG: 'env' } : {}),
            ...(has('fallback') ? { IPTV_TUNERR_CATALOG: 'fallback' } : {}),
          },
          files: has('file') ? { '/home/me/catchupd.yaml': 'catalog: file\n' } : {},
        });
        const winner = places.find((place) => present.includes(place));
        expect(config.sources.catalog).toEqual(winner === undefined ? [] : [`/home/me/${winner}`]);
        expect(given.has('catalog')).toBe(winner !== undefined);
      }),
    );
  });

  it('takes what users of iptv-tunerr have in their environment', async () => {
    const { config } = await resolve({
      env: {
        IPTV_TUNERR_BASE_URL: 'http://nas:5004',
        IPTV_TUNERR_CATCHUP_GUIDE_POLICY: 'none',
        IPTV_TUNERR_RECORD_DEPRIORITIZE_HOSTS: 'Bad.example, worse.example',
      },
    });
    expect(config.sources.streamBaseUrl).toBe('http://nas:5004');
    expect(config.what.guidePolicy).toBe('off');
    expect(config.how.deprioritizeHosts).toEqual(['bad.example', 'worse.example']);
  });

  it('takes an empty variable for one that is not set', async () => {
    const { config, given } = await resolve({ env: { CATCHUPD_OUT_DIR: ' ', CATCHUPD_PUBLISH_DIR: '' } });
    expect(config.places.outDir).toBe('/home/me/catchup-recordings');
    expect(given.size).toBe(0);
  });

  it('reads several sources from one variable, by line or comma', async () => {
    const { config } = await resolve({
      env: { CATCHUPD_M3U: 'http://a.example/x?cats=1,2,https://b.example/y\n./c list.m3u' },
    });
    expect(config.sources.m3u).toEqual([
      'http://a.example/x?cats=1,2',
      'https://b.example/y',
      '/home/me/c list.m3u',
    ]);
  });

  it('names unknown variables, but not those of Kubernetes, and goes on', async () => {
    const { warnings } = await resolve({
      env: {
        CATCHUPD_OUTDIR: 'x',
        CATCHUPD_SERVICE_HOST: '10.0.0.1',
        CATCHUPD_PORT_8998_TCP: 'tcp://10.0.0.1:1',
      },
    });
    expect(warnings).toEqual(['CATCHUPD_OUTDIR is not a setting; did you mean CATCHUPD_OUT_DIR?']);
  });
});

describe('the config file', () => {
  it('has the option names for keys, values as people write them, and paths relative to itself', async () => {
    const { config, configFile } = await resolve({
      line: { config: ['etc/catchupd.yaml'] },
      env: { LIST_USER: 'bob', LIST_PASS: 'secret' },
      files: {
        '/home/me/etc/catchupd.yaml': [
          'm3u:',
          '  - http://tv.example/get.php?username=${LIST_USER}&password=${LIST_PASS}',
          '  - lists/own.m3u',
          'out-dir: ../rec',
          'umask: 0027',
          'listen: 8998',
          'max-concurrency: 0',
          'include-adult: true',
          'channels: [ "BBC *", 101 ]',
          'keep: { sports: 2d, Movies: 0 }',
          'user-agent: "price $${X}"',
          'disk-free-min: 20GiB',
          'publish-dir:',
        ].join('\n'),
      },
    });
    expect(configFile).toBe('/home/me/etc/catchupd.yaml');
    expect(config.sources.m3u).toEqual([
      'http://tv.example/get.php?username=bob&password=secret',
      '/home/me/etc/lists/own.m3u',
    ]);
    expect(config.places.outDir).toBe('/home/me/rec');
    expect(config.places.publishDir).toBeNull();
    expect(config.places.umask).toBe(0o027);
    expect(config.doors.listen).toEqual({ host: '127.0.0.1', port: 8998 });
    expect(config.how.concurrencyMax).toBe(0);
    expect(config.what.includeAdult).toBe(true);
    expect(config.what.channels).toEqual(['BBC *', '101']);
    expect(config.keep.keepMs).toEqual({ sports: 172_800_000, movies: 0, general: 86_400_000 });
    expect(config.keep.diskFreeMin).toEqual({ kind: 'bytes', bytes: 20 * 2 ** 30 });
    expect(config.sources.userAgent).toBe('price ${X}');
  });

  it('may hold lanes of one’s own, which options name like any other', async () => {
    const yaml = [
      'lane-definitions:',
      '  - name: kids',
      '    match: { group: [ "Kids*" ] }',
      '    keep: ${KIDS_KEEP}',
      '    count: 20',
      '    bytes: 10GiB',
      'exclude-lanes: kids',
      'budget-bytes-per-lane: { sports: 5GiB }',
    ].join('\n');
    const files = { '/home/me/catchupd.yaml': yaml };
    const { config } = await resolve({ files, env: { KIDS_KEEP: '7d' } });
    expect(config.what.laneDefinitions).toMatchObject([{ name: 'kids', match: [{ group: ['Kids*'] }] }]);
    expect(config.what.excludeLanes).toEqual(['kids']);
    expect(config.keep.keepMs).toMatchObject({ kids: 7 * 86_400_000, general: 86_400_000 });
    expect(config.keep.completedMaxPerLane).toEqual({ kids: 20 });
    expect(config.keep.bytesMaxPerLane).toEqual({ kids: 10 * 2 ** 30, sports: 5 * 2 ** 30 });
    await expect(resolve({ line: { lanes: ['kids'] } })).rejects.toMatchObject({ code: 'usage' });
    await expect(
      resolve({ files: { '/home/me/catchupd.yaml': 'lane-definitions: [ { name: x } ]' } }),
    ).rejects.toMatchObject({ detail: expect.stringMatching(/^catchupd.yaml:1 lane-definitions x match: /) });
  });

  it('takes the age of a lane for its keep time, unless --keep says otherwise', async () => {
    const line = { 'retain-completed-max-age-per-lane': ['sports=6h,movies=48h'], keep: ['sports=1h'] };
    const { config } = await resolve({ line });
    expect(config.keep.keepMs).toEqual({ sports: 3_600_000, movies: 172_800_000, general: 86_400_000 });
    expect(config.keep.completedAgeMsMaxPerLane).toEqual({ sports: 21_600_000, movies: 172_800_000 });
  });

  it('never shows its text where it is broken', () => {
    const { problems } = readSettings('api-token: "hunter2\n  - [', 'c.yaml', {});
    expect(problems.length).toBeGreaterThan(0);
    expect(JSON.stringify(problems)).not.toContain('hunter2');
    expect(problems[0]?.origin).toMatch(/^c\.yaml:\d+$/);
  });

  it.each(['', '# nothing\n', '---\n', '{}'])('may be empty: %j', (text) => {
    expect(readSettings(text, 'c.yaml', {})).toEqual({
      settings: new Map(),
      lists: new Map(),
      problems: [],
    });
  });

  it('must be a map', () => {
    expect(readSettings('- a\n', 'c.yaml', {}).problems[0]?.message).toContain('a map of option names');
  });

  it('that was named and is not there is a problem, one that was not named is none', async () => {
    await expect(resolve({ env: { CATCHUPD_CONFIG: 'gone.yaml' } })).rejects.toMatchObject({
      code: 'usage',
      detail: 'CATCHUPD_CONFIG: /home/me/gone.yaml cannot be read (ENOENT)',
    });
    expect((await resolve({})).configFile).toBeNull();
  });

  it('with a fault does not keep report and health from answering', async () => {
    const files = { '/home/me/catchupd.yaml': 'out-dir: rec\nlanes: nonsense\nunknown: 1\n' };
    const { config } = await resolve({ command: 'report', files });
    expect(config.places.stateFile).toBe('/home/me/rec/recorder-state.json');
    await expect(resolve({ files })).rejects.toMatchObject({ code: 'usage' });
  });
});

describe('files named by options', () => {
  it('@FILE in a list stands for its lines', async () => {
    const { config } = await resolve({
      line: { channels: ['one, @names.txt'] },
      files: { '/home/me/names.txt': '# mine\n two \n\nthree, with comma\r\n' },
    });
    expect(config.what.channels).toEqual(['one', 'two', 'three', 'with comma']);
    await expect(resolve({ line: { channels: ['@gone.txt'] } })).rejects.toMatchObject({
      detail: '--channels: /home/me/gone.txt cannot be read (ENOENT)',
    });
  });

  it('a secret may be in a file; the stronger place wins, twice in one place is a contradiction', async () => {
    const files = { '/home/me/token': 'from-file\n', '/home/me/empty': '\n' };
    const token = async (given: Given) => (await resolve({ files, ...given })).config.doors.apiToken;
    expect(await token({ line: { 'api-token-file': ['token'] } })).toBe('from-file');
    expect(await token({ env: { CATCHUPD_API_TOKEN_FILE: 'token' } })).toBe('from-file');
    expect(await token({ line: { 'api-token': ['x'] }, env: { CATCHUPD_API_TOKEN_FILE: 'token' } })).toBe(
      'x',
    );
    expect(await token({ line: { 'api-token-file': ['token'] }, env: { CATCHUPD_API_TOKEN: 'x' } })).toBe(
      'from-file',
    );
    await expect(token({ line: { 'api-token-file': ['token'], 'api-token': ['x'] } })).rejects.toMatchObject({
      detail: '--api-token-file: give either this or --api-token',
    });
    await expect(token({ line: { 'api-token-file': ['empty'] } })).rejects.toMatchObject({
      detail: '--api-token-file: /home/me/empty is empty',
    });
  });
});

describe('the option table', () => {
  it('has every name and variable once a command', () => {
    const names = settableOptions().map((row) => row.name);
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(names.map(envName)).size).toBe(names.length);
    for (const command of ['run', 'plan', 'report', 'health', 'demo'] as const) {
      const own = optionsOf(command).map((row) => row.name);
      expect(new Set(own).size).toBe(own.length);
    }
    expect(OPTIONS.length).toBeGreaterThan(45);
  });

  it('holds only defaults that its own checks accept', async () => {
    for (const command of ['run', 'record', 'plan', 'why', 'report', 'doctor', 'health', 'demo'] as const) {
      await expect(resolve({ command })).resolves.toBeDefined();
    }
  });
});

describe('paths', () => {
  it('are made absolute and worked off', () => {
    expect(absolutePath('/a/b', 'c')).toBe('/a/b/c');
    expect(absolutePath('/a/b', '../c/./d/')).toBe('/a/c/d');
    expect(absolutePath('/a', '/x//y')).toBe('/x/y');
    expect(absolutePath('/', '../..')).toBe('/');
  });

  it('know what is inside what', () => {
    expect(isInside('/a/b', '/a')).toBe(true);
    expect(isInside('/a', '/a')).toBe(true);
    expect(isInside('/ab', '/a')).toBe(false);
    expect(isInside('/a', '/')).toBe(true);
  });
});

describe('suggestions', () => {
  it('measure like people mistype', () => {
    expect(editDistance('recrod', 'record')).toBe(1);
    expect(editDistance('', 'abc')).toBe(3);
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, a)).toBe(0);
      }),
    );
  });

  it('keep silent where nothing is near', () => {
    expect(nearest('xyzzy', ['run', 'record'])).toBeNull();
    expect(nearest('repo', ['run', 'report'])).toBe('report');
  });
});
