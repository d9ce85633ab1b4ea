/** When the demo starts by itself, and when its absence of sources is a mistake. */
import { describe, expect, it } from 'vitest';
import { loadConfig, type LoadedCommand } from '../../src/cli/load.js';
import { chooseSource } from '../../src/cli/sourceChoice.js';

async function run(line: string, file?: string): Promise<LoadedCommand> {
  const loaded = await loadConfig({
    argv: ['run', ...line.split(' ').filter((word) => word !== '')],
    env: {},
    cwd: '/home/bob',
    readFile: (path) =>
      file !== undefined && path === '/home/bob/catchupd.yaml'
        ? Promise.resolve(file)
        : Promise.reject(Object.assign(new Error('nothing there'), { code: 'ENOENT' })),
  });
  if (loaded.kind !== 'command') throw new Error(`this is ${loaded.kind}`);
  return loaded;
}

const nowhere = { env: {}, stateOfRealSources: false };

describe('what run records from', () => {
  it.each(['', '--out-dir x', '--listen 9000', '--lanes sports --once', '--log-level debug'])(
    '"run %s" is the demo',
    async (line) => {
      expect(chooseSource(await run(line), nowhere)).toBe('demo');
    },
  );

  it.each([
    '--m3u a.m3u',
    '--catalog c.json --publish-dir p',
    '--xmltv g.xml --stream-base-url http://relay',
  ])('"run %s" is what was configured', async (line) => {
    expect(chooseSource(await run(line), nowhere)).toBe('configured');
  });

  it('is told to be missing where somebody meant their own', async () => {
    const missing = expect.objectContaining({
      code: 'usage',
      detail: 'no source: give --m3u, --xtream or --catalog',
    });
    for (const line of ['--publish-dir p', '--xmltv g.xml']) {
      const loaded = await run(line);
      expect(() => chooseSource(loaded, nowhere)).toThrow(missing);
    }
    const bare = await run('');
    const configured = await run('', 'lanes: sports\n');
    expect(() => chooseSource(configured, nowhere)).toThrow(missing);
    expect(() => chooseSource(bare, { ...nowhere, env: { NOTIFY_SOCKET: '/run/notify' } })).toThrow(missing);
    expect(() => chooseSource(bare, { ...nowhere, stateOfRealSources: true })).toThrow(missing);
  });
});
