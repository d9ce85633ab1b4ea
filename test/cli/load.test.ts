/** What people type, and what it means; wrong use is told whole, at once, and starts nothing. */
import { describe, expect, it } from 'vitest';
import { loadConfig, type LoadedCommand, type LoadInput } from '../../src/cli/load.js';
import { CodedError } from '../../src/domain/errors.js';

const GIB = 2 ** 30;
const HOUR = 3_600_000;

/** The disk as a map of absolute paths. */
function input(
  argv: string | readonly string[],
  rest: Partial<LoadInput> & { files?: Record<string, string> } = {},
): LoadInput {
  const { files = {}, ...others } = rest;
  return {
    argv: typeof argv === 'string' ? argv.split(' ').filter((word) => word !== '') : argv,
    env: {},
    cwd: '/home/bob',
    readFile: (path) => {
      const text = files[path];
      if (text !== undefined) return Promise.resolve(text);
      return Promise.reject(Object.assign(new Error('nothing there'), { code: 'ENOENT' }));
    },
    ...others,
  };
}

async function loaded(...given: Parameters<typeof input>): Promise<LoadedCommand> {
  const result = await loadConfig(input(...given));
  if (result.kind !== 'command') throw new Error(`this is ${result.kind}`);
  return result;
}

async function complaint(...given: Parameters<typeof input>): Promise<string> {
  try {
    await loadConfig(input(...given));
  } catch (error) {
    if (error instanceof CodedError && error.code === 'usage') return error.detail;
    throw error;
  }
  throw new Error('nothing was wrong');
}

describe('the command line', () => {
  it("takes the original system's example command word for word", async () => {
    const { command, config } = await loaded([
      ...'catchup-daemon -catalog ./catalog.json -xmltv http://127.0.0.1:5004/guide.xml'.split(' '),
      ...'-out-dir ./out -publish-dir ./library -stream-base-url http://127.0.0.1:5004/'.split(' '),
      ...'-lanes sports,general -max-concurrency 4'.split(' '),
      '-retain-completed-per-lane',
      'sports=50,general=100',
      '-budget-bytes-per-lane',
      'sports=20GiB,general=40GiB',
    ]);
    expect(command).toBe('run');
    expect(config.sources.catalog).toEqual(['/home/bob/catalog.json']);
    expect(config.sources.xmltv).toEqual(['http://127.0.0.1:5004/guide.xml']);
    expect(config.sources.streamBaseUrl).toBe('http://127.0.0.1:5004');
    expect(config.places.outDir).toBe('/home/bob/out');
    expect(config.places.publishDir).toBe('/home/bob/library');
    expect(config.what.lanes).toEqual(['sports', 'general']);
    expect(config.how.concurrencyMax).toBe(4);
    expect(config.keep.completedMaxPerLane).toEqual({ sports: 50, general: 100 });
    expect(config.keep.bytesMaxPerLane).toEqual({ sports: 20 * GIB, general: 40 * GIB });
  });

  it.each([
    ['--out-dir x', '-out-dir x', '--out-dir=x', '-out-dir=x', '-OUT-DIR x'],
    ['--once', '-once', '--once=true', '-once=yes', '--no-once=false --once'],
    ['--record-upstream-fallback=false', '--no-record-upstream-fallback', '-no-record-upstream-fallback'],
    ['--no-auth --listen :1', '-no-auth -listen=:1', '--no-auth=true --listen :1'],
    ['--lanes sports --lanes movies', '--lanes sports,movies', '-lanes=sports, -lanes=movies'],
  ])('%s has other spellings', async (first, ...others) => {
    const meant = (await loaded(`run ${first}`)).config;
    for (const other of others.filter((each) => !each.includes('--no-once'))) {
      expect((await loaded(`run ${other}`)).config).toEqual(meant);
    }
  });

  it('turns a switch off with --x=false and --no-x, and knows --no-auth for a switch of its own', async () => {
    expect((await loaded('run --record-upstream-fallback')).config.how.upstreamFallback).toBe(true);
    expect((await loaded('run --record-upstream-fallback=false')).config.how.upstreamFallback).toBe(false);
    expect((await loaded('run --no-record-upstream-fallback')).config.how.upstreamFallback).toBe(false);
    expect((await loaded('run --no-auth')).config.doors.noAuth).toBe(true);
    expect((await loaded('run --no-auth=false')).config.doors.noAuth).toBe(false);
  });

  it('takes options before the command, and values that begin with a dash after =', async () => {
    const { command, config } = await loaded('-m3u list.m3u run --user-agent=-odd-');
    expect(command).toBe('run');
    expect(config.sources.m3u).toEqual(['/home/bob/list.m3u']);
    expect(config.sources.userAgent).toBe('-odd-');
  });

  it('keeps the defaults of the contract', async () => {
    const { config } = await loaded('run');
    expect(config).toMatchObject({
      sources: {
        catalog: [],
        m3u: [],
        xtream: [],
        xmltv: [],
        streamBaseUrl: null,
        intervalMs: 4 * HOUR,
        userAgent: 'catchupd',
        aliasesFile: null,
        guideTimezone: 'UTC',
      },
      places: {
        outDir: '/home/bob/catchup-recordings',
        publishDir: null,
        stateFile: '/home/bob/catchup-recordings/recorder-state.json',
        umask: 0o022,
        requireMount: false,
      },
      what: {
        rulesFile: null,
        rulesOnly: false,
        laneDefinitions: [],
        lanes: [],
        excludeLanes: [],
        channels: [],
        excludeChannels: [],
        groups: [],
        excludeGroups: [],
        includeAdult: false,
        guidePolicy: 'off',
        horizonMs: 3 * HOUR,
        capsulesMax: 0,
      },
      when: {
        pollIntervalMs: 30_000,
        leadTimeMs: 0,
        prePaddingMs: 15_000,
        postPaddingMs: 60_000,
        postPaddingGiven: false,
        durationMsMax: 0,
        joinMinLeft: 0,
      },
      how: {
        concurrencyMax: 2,
        concurrencyMaxPerLane: {},
        stallTimeoutMs: 20_000,
        firstByteTimeoutMs: 30_000,
        attemptsMax: 0,
        retryBackoffMs: 250,
        retryBackoffMsMax: 30_000,
        upstreamFallback: true,
        deprioritizeHosts: [],
        autopilotFile: null,
        hostPolicyFile: null,
        replayUrlTemplate: null,
        providerMax: {},
        providerReserve: {},
        providerCooldownMs: 25_000,
        preempt: true,
      },
      keep: {
        keepMs: { sports: 12 * HOUR, movies: 72 * HOUR, general: 24 * HOUR },
        completedMax: 0,
        failedMax: 100,
        completedMaxPerLane: {},
        failedMaxPerLane: {},
        bytesMaxPerLane: {},
        bytesMax: 0,
        completedAgeMsMax: 0,
        completedAgeMsMaxPerLane: {},
        diskFreeMin: { kind: 'share', share: 0.05 },
      },
      doors: { listen: null, apiToken: null, noAuth: false, publicUrl: null },
      run: { once: false, runForMs: 0 },
      log: { format: 'auto', level: 'info' },
    });
  });

  it('looks a day ahead where it is asked for the plan', async () => {
    expect((await loaded('plan')).config.what.horizonMs).toBe(24 * HOUR);
    expect((await loaded('plan --horizon 2h')).config.what.horizonMs).toBe(2 * HOUR);
  });

  it('answers as each command does, and as it is told', async () => {
    expect((await loaded('plan')).answer.format).toBe('table');
    expect((await loaded('plan --json')).answer.format).toBe('json');
    expect((await loaded('report')).answer).toMatchObject({ format: 'json', limit: 10 });
    expect((await loaded('catchup-recorder-report --table --limit 3')).answer).toMatchObject({
      format: 'table',
      limit: 3,
    });
    expect((await loaded('report --limit 0', { env: { CATCHUPD_LIMIT: '7' } })).answer.limit).toBe(0);
    expect((await loaded('why late film --json')).args).toEqual(['late', 'film']);
  });

  it('shows help and version from anywhere', async () => {
    for (const line of ['', '--help', 'help', '-h', 'help run', 'run --help', 'run -h -out-dir x']) {
      expect((await loadConfig(input(line))).kind).toBe('help');
    }
    for (const line of ['version', '--version', '-V'])
      expect((await loadConfig(input(line))).kind).toBe('version');
    const help = await loadConfig(input('help run'));
    expect(help).toMatchObject({ text: expect.stringContaining('--no-auth') });
    expect(help).toMatchObject({ text: expect.stringMatching(/--poll-interval TIME[\s\S]*\(30s\)/) });
  });

  it.each([
    ['rnu', 'unknown command "rnu"; did you mean run?'],
    ['catchup-deamon --once', 'unknown command "catchup-deamon"; did you mean catchup-daemon?'],
    ['run --out-dri x', '--out-dri: unknown option; did you mean --out-dir?'],
    ['run -max-concurency=3', '--max-concurency: unknown option; did you mean --max-concurrency?'],
    [
      'run --guide-policy healty',
      '--guide-policy: "healty" is unknown here: off, healthy, strict; did you mean healthy?',
    ],
    [
      'run --lanes sport',
      '--lanes: unknown lane "sport": there are sports, movies, general; did you mean sports?',
    ],
    ['run --keep film=3h', '--keep: unknown lane "film": there are sports, movies, general'],
    ['run --keep sports', '--keep: "sports" is not understood; write it as sports=72h,general=24h'],
    ['run --poll-interval 30', '--poll-interval: "30" is no duration; write it as 30s or 30m'],
    ['run --poll-interval 0', '--poll-interval: "0" must be more than 0'],
    ['run --max-concurrency two', '--max-concurrency: "two" is no whole number'],
    ['run --umask 999', '--umask: "999" is no octal mask, as in 0022'],
    [
      'run --listen nowhere',
      '--listen: "nowhere" is no address to listen on, as in 8998, :8998 or HOST:PORT',
    ],
    [
      'run --guide-timezone Mars/Base',
      '--guide-timezone: "Mars/Base" is no time zone, as in Europe/Berlin or UTC',
    ],
    ['run --stream-base-url nas', '--stream-base-url: "nas" is no http or https address'],
    ['run --m3u ftp://u:p@h/x', '--m3u: "ftp://***@h/x" is neither a file nor an http or https address'],
    ['run --out-dir', '--out-dir: needs a value'],
    ['run --out-dir --once', '--out-dir: needs a value'],
    ['run --out-dir=', '--out-dir: needs a value'],
    ['run --once=perhaps', '--once: "perhaps" is neither true nor false'],
    ['run --whatever http://x', '--whatever: unknown option'],
    ['report --once', '--once: is no option of report'],
    ['report --table --json', '--json: contradicts --table'],
    ['why', "missing required argument 'query'"],
    ['--m3u x', 'no command; most likely you want "catchupd run"'],
    ['help rnu', 'unknown command "rnu"; did you mean run?'],
    [
      'run --out-dir a --publish-dir a',
      '--publish-dir: /home/bob/a is also --out-dir; give each its own folder',
    ],
    [
      'run --out-dir a --publish-dir a/b',
      '--publish-dir: /home/bob/a/b is inside --out-dir /home/bob/a; put them side by side',
    ],
    [
      'run --out-dir a/../b/c --publish-dir b',
      '--out-dir: /home/bob/b/c is inside --publish-dir /home/bob/b; put them side by side',
    ],
    ['run --lanes sports --exclude-lanes sports', '--exclude-lanes: no lane is left to record'],
    [
      'run --listen :80',
      '--listen: 0.0.0.0:80 is reachable from outside; give --api-token, or --no-auth if anybody may use it',
    ],
  ])('%s is refused', async (line, expected) => {
    expect(await complaint(line)).toBe(expected);
  });

  it('takes what provider accounts allow from a list of the config file, and an option above it', async () => {
    const accounts = (text: string) => ({ files: { '/home/bob/c.yaml': `provider-accounts:\n${text}` } });
    const file = accounts(
      '  - { account: Joe@Panel.example, max: 3, reserve: 1 }\n  - account: relay:5004\n    max: 2\n',
    );
    const { config } = await loaded('run --config c.yaml --provider-max relay:5004=1', file);
    expect(config.how.providerMax).toEqual({ 'joe@panel.example': 3, 'relay:5004': 1 });
    expect(config.how.providerReserve).toEqual({ 'joe@panel.example': 1 });
    const wrong = accounts(
      '  - { max: 3 }\n  - { account: a:1, max: two, reserv: 1 }\n  - { account: A:1 }\n',
    );
    const said = await complaint('run --config c.yaml', wrong);
    expect(said).toContain('provider-accounts[0]: needs account');
    expect(said).toContain('provider-accounts[1].max: "two" is no whole number');
    expect(said).toContain('provider-accounts[1].reserv: unknown key; did you mean reserve?');
    expect(said).toContain('provider-accounts[2]: "a:1" is there twice');
  });

  it('asks the demo for its addresses as text, or as JSON', async () => {
    expect((await loaded('demo')).answer.format).toBe('table');
    expect((await loaded('demo --json')).answer.format).toBe('json');
  });

  it('refuses a word too many', async () => {
    expect(await complaint('run something')).toContain('"something" is one word too many: run takes options');
    expect(await complaint('plan --m3u l.m3u --preempt false')).toMatch(/"false" .*--x=false/);
  });

  it('lists every problem at once, with where it came from and without the secret', async () => {
    const detail = await complaint('run --out-dri x --poll-interval soon --config c.yaml', {
      env: { CATCHUPD_MAX_CONCURRENCY: 'many', CATCHUPD_API_TOKEN: 'hunter2', CATCHUPD_NO_AUTH: 'true' },
      files: { '/home/bob/c.yaml': 'lanes: [sports, flims]\n\nhorizn: 3h\nxmltv: ${MISSING}\n' },
    });
    expect(detail.split('\n')).toEqual([
      '7 problems',
      '  --out-dri: unknown option; did you mean --out-dir?',
      '  c.yaml:3 horizn: unknown key; did you mean horizon?',
      '  c.yaml:4 xmltv: ${MISSING} is not set in the environment',
      '  c.yaml:1 lanes: unknown lane "flims": there are sports, movies, general',
      '  --poll-interval: "soon" is no duration; write it as 250ms, 30s, 5m or 1h30m',
      '  CATCHUPD_MAX_CONCURRENCY: "many" is no whole number',
      '  --no-auth: contradicts --api-token; give one of them',
    ]);
    expect(detail).not.toContain('hunter2');
  });
});
