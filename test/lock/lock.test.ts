/** `npm ci` must take the lock on every platform and from every registry. Reads files only, asks nobody. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { entryFor, missingOptionals, platformOf } from './optional.mjs';

const entryShape = z.looseObject({
  version: z.string().optional(),
  resolved: z.string().optional(),
  optional: z.boolean().optional(),
  os: z.array(z.string()).optional(),
  cpu: z.array(z.string()).optional(),
  libc: z.array(z.string()).optional(),
  optionalDependencies: z.record(z.string(), z.string()).optional(),
});
const lockShape = z.object({ packages: z.record(z.string(), entryShape) });
type LockShape = z.infer<typeof lockShape>;

function file(name: string): string {
  return readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
}

const lock: LockShape = lockShape.parse(JSON.parse(file('package-lock.json')));

describe('package-lock.json', () => {
  it('resolves every optional dependency (npm run lock completes it)', () => {
    const asking = Object.values(lock.packages).filter((entry) => entry.optionalDependencies);
    expect(asking.length).toBeGreaterThan(3);
    expect(missingOptionals(lock)).toEqual([]);
  });

  it('names no registry', () => {
    expect(Object.values(lock.packages).filter((entry) => entry.resolved !== undefined)).toEqual([]);
    expect(file('package-lock.json')).not.toMatch(/https?:\/\/[^"]*\.tgz/);
  });

  it('asks for what package.json asks for', () => {
    const own = z
      .object({
        dependencies: z.record(z.string(), z.string()),
        devDependencies: z.record(z.string(), z.string()),
      })
      .parse(JSON.parse(file('package.json')));
    expect(lock.packages['']).toMatchObject(own);
  });
});

describe('completing a lock', () => {
  it('knows a platform by the name of its package, as the packages themselves declare it', () => {
    const binaries = Object.entries(lock.packages).filter(([, entry]) => entry.os && entry.cpu);
    expect(binaries.length).toBeGreaterThan(30);
    const told = binaries.map(([path]) => [path, platformOf(path)]);
    const declared = binaries.map(([path, { os, cpu, libc }]) => [
      path,
      { os, cpu, ...(libc ? { libc } : {}) },
    ]);
    // Some packages leave out the C library though the name has it: being stricter than they are is harmless.
    const shape = (rows: typeof told | typeof declared) =>
      rows.filter(([, platform]) => platform !== null).map(([path, platform]) => ({ path, platform }));
    const known = new Set(shape(told).map(({ path }) => path));
    expect(shape(told)).toMatchObject(shape(declared).filter(({ path }) => known.has(path)));
    expect(known.size).toBeGreaterThan(30);
  });

  it('finds what is missing, wherever it would be looked up', () => {
    const small = {
      packages: {
        '': { optionalDependencies: { 'a-linux-x64': '1.0.0' } },
        'node_modules/b': {
          dev: true,
          optionalDependencies: { 'b-darwin-arm64': '2.0.0', 'a-linux-x64': '1.0.0' },
        },
        'node_modules/b/node_modules/c': { optionalDependencies: { 'd-win32-x64': '3.0.0' } },
        'node_modules/b/node_modules/d-win32-x64': { version: '3.0.0' },
      },
    };
    expect(missingOptionals(small)).toEqual([
      { name: 'a-linux-x64', version: '1.0.0', dev: false },
      { name: 'b-darwin-arm64', version: '2.0.0', dev: true },
    ]);
  });

  it('writes what npm would have written, and refuses to guess', () => {
    expect(entryFor({ name: '@o/binding-linux-arm64-musl', version: '1.2.3', dev: true })).toEqual({
      version: '1.2.3',
      cpu: ['arm64'],
      dev: true,
      libc: ['musl'],
      optional: true,
      os: ['linux'],
    });
    expect(() => entryFor({ name: 'fsevents', version: '1.2.3', dev: true })).toThrow('platform');
    expect(() => entryFor({ name: 'x-linux-x64', version: '^1.2.3', dev: true })).toThrow('range');
  });
});
