/** `report` on a state that a disk or a person damaged. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { loadConfig } from '../../src/cli/load.js';
import { report } from '../../src/cli/report.js';

it('fails where nothing of the state can be read, because an empty list would say that nothing is there', async ({
  onTestFinished,
}) => {
  const folder = mkdtempSync(join(tmpdir(), 'catchupd-report-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const stateFile = join(folder, 'state.json');
  writeFileSync(stateFile, '{"version":1,"recordings":');
  const loaded = await loadConfig({
    argv: ['report', '--state-file', stateFile],
    env: {},
    cwd: folder,
    readFile: () => Promise.reject(Object.assign(new Error('nothing there'), { code: 'ENOENT' })),
  });
  if (loaded.kind !== 'command') throw new Error(`this is ${loaded.kind}`);
  const said: string[] = [];
  const log = pino({ level: 'silent' });
  const say = (text: string) => said.push(text);
  await expect(report({ loaded, log, say } as never)).rejects.toMatchObject({
    code: 'state_unreadable',
    detail: expect.stringContaining(`${stateFile}: the state is damaged`) as string,
  });
  expect(said).toEqual([]);
});
