import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Config } from '../../src/config/config.js';
import { withinOpenFiles } from '../../src/config/openFiles.js';
import { resolveConfig } from '../../src/config/resolve.js';
import { openFilesMax } from '../../src/io/openFiles.js';

async function configOf(concurrency: number): Promise<Config> {
  const line = new Map([['max-concurrency', [String(concurrency)]]]);
  const readFile = () => Promise.reject(Object.assign(new Error('none'), { code: 'ENOENT' }));
  const found = await resolveConfig({ command: 'run', line, env: {}, cwd: '/', readFile, problems: [] });
  return found.config;
}

it('as many connections are used as the files that may be open suffice for, and it is said where that is fewer', async () => {
  const base = await configOf(2);
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 3_000 }),
      fc.integer({ min: 200, max: 100_000 }),
      (asked, files) => {
        const { config, warning } = withinOpenFiles(
          { ...base, how: { ...base.how, concurrencyMax: asked } },
          files,
        );
        const { concurrencyMax } = config.how;
        const { connectionsMax } = config.doors;
        expect(warning === null).toBe(concurrencyMax === asked);
        if (asked > 0) expect(concurrencyMax).toBeLessThanOrEqual(asked);
        if (concurrencyMax === 0) expect(files).toBeGreaterThan(10_000);
        else expect(5 * concurrencyMax + connectionsMax).toBeLessThan(files);
        expect(connectionsMax).toBeGreaterThanOrEqual(32);
        if (asked === 0 && files > 20_000) expect(warning).toBeNull();
      },
    ),
  );
});

it('nothing changes where nobody says how many', async () => {
  for (const asked of [0, 2, 5_000]) {
    const config = await configOf(asked);
    expect(withinOpenFiles(config, Infinity)).toEqual({ config, warning: null });
  }
});

it('the kernel says how many', async () => {
  expect(await openFilesMax('/nowhere/limits')).toBe(Infinity);
  expect(await openFilesMax()).toBeGreaterThan(100);
});
