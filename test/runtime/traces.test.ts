/** What is found of recordings when the state is lost. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { nodeDisk } from '../../src/io/nodeDisk.js';
import { tracesOf } from '../../src/runtime/traces.js';
import { aCapsule, aRecording, STOP } from '../domain/aRecording.js';
import { finalizeBench, packets, PUBLISH, writeSpool } from '../finalize/finalizeBench.js';
import type { Config } from '../../src/config/config.js';
import { resolveConfig } from '../../src/config/resolve.js';

async function configOf(outDir = '/out'): Promise<Config> {
  const places = { m3u: 'x.m3u', 'out-dir': outDir, 'publish-dir': '/media' };
  const { config } = await resolveConfig({
    command: 'run',
    line: new Map(Object.entries(places).map(([name, text]) => [name, [text]])),
    env: {},
    cwd: '/',
    readFile: () => Promise.reject(Object.assign(new Error('ENOENT'), { code: 'ENOENT' })),
  });
  return config;
}

it('finds films and episodes where they lie, and whose the folders around them are', async () => {
  const bench = await finalizeBench();
  const film = aRecording();
  const wire = aCapsule({ title: 'The Wire', episode: 's1e4', lane: 'series' });
  const episode = aRecording({ id: '2b2b2b2b', spool: '/out/series/2.partial.ts', capsule: wire });
  const files = [];
  for (const [recording, kind] of [
    [film, 'movies'],
    [episode, 'shows'],
  ] as const) {
    await writeSpool(bench.disk, recording.spool, packets(2));
    const outcome = await bench.finalize(recording, PUBLISH, kind);
    files.push(outcome.kind === 'published' ? outcome.files : null);
  }
  const { ledgers, problems } = await tracesOf(bench.disk, await configOf(), STOP);
  expect(problems).toEqual([]);
  const found = ledgers.map(({ recording }) => recording.files);
  expect(new Set(found)).toEqual(new Set(files));
  expect(ledgers.map(({ mediaBytes }) => mediaBytes)).toEqual([376, 376]);
});

it('does not wait for what a pipe with the name of a ledger may say', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'catchupd-pipe-'));
  try {
    const path = join(folder, 'film.catchupd.json');
    execFileSync('mkfifo', [path]);
    const { problems } = await tracesOf(nodeDisk, await configOf(folder), STOP);
    expect(problems).toEqual([{ path, what: 'it is no file' }]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
