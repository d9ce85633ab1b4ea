/** What reaches the log, in which form, and what never does. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { compiled } from './compiled.js';
import { createLog, type LogOptions, silentLog } from '../src/log.js';

function logged(options: Partial<LogOptions>, act: (log: ReturnType<typeof createLog>) => void): string[] {
  const lines: string[] = [];
  const log = createLog({
    format: 'json',
    level: 'info',
    isTerminal: false,
    ...options,
    write: (line) => lines.push(line),
  });
  act(log);
  return lines;
}

describe('the log', () => {
  it('is one JSON object a line, with the level by name and the time in UTC', () => {
    const [line = ''] = logged({}, (log) => log.info({ lane: 'sports' }, 'recording'));
    expect(line.endsWith('\n')).toBe(true);
    expect(JSON.parse(line)).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      lane: 'sports',
      msg: 'recording',
    });
  });

  it('is for people on a terminal, unless told otherwise', () => {
    const say = (log: ReturnType<typeof createLog>) => log.warn({ lane: 'sports' }, 'no slot');
    expect(logged({ format: 'auto', isTerminal: true }, say)[0]).toMatch(/WARN.*no slot/s);
    expect(logged({ format: 'pretty', isTerminal: false }, say)[0]).toMatch(
      /WARN.*: no slot\n {4}lane: "sports"/s,
    );
    expect(logged({ format: 'auto', isTerminal: false }, say)[0]).toContain('"level":"warn"');
  });

  it('has no colours where they are not wanted', () => {
    const say = (log: ReturnType<typeof createLog>) => log.warn('no slot');
    const told = (isColoured: boolean) => logged({ format: 'auto', isTerminal: true, isColoured }, say)[0];
    expect(told(true)).toContain('\u001b[');
    expect(told(false)).not.toContain('\u001b[');
  });

  it('leaves out what is below its level', () => {
    expect(logged({ level: 'warn' }, (log) => log.info('quiet'))).toEqual([]);
    expect(silentLog.isLevelEnabled('fatal')).toBe(false);
  });

  it.each(['json', 'pretty'] as const)('shows no credentials, wherever they are (%s)', (format) => {
    const url = 'http://tv.example/live/bob/hunter2/7.ts?token=hunter2';
    const lines = logged({ format }, (log) => {
      log.info(`opening ${url}`);
      log.info({ url, nested: { list: [url] } }, 'opening');
      log.error({ err: new Error(`refused by ${url}`) }, 'failed');
      log.child({ source: url }).info({ req: { url: '/x?token=hunter2' } }, 'asked');
    });
    expect(lines).toHaveLength(4);
    expect(lines.join('')).not.toContain('hunter2');
    expect(lines.join('')).toContain('tv.example');
  });
});

describe('a log that nobody reads', () => {
  const folder = mkdtempSync(join(tmpdir(), 'catchupd-test-log-'));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('holds the program up no more than it fills its memory, and says later what is lost', async () => {
    const log = compiled(folder, ['src', 'src/domain'], 'src/log.js');
    const program = join(folder, 'talker.js');
    writeFileSync(
      program,
      `import { createLog } from ${JSON.stringify(log.href)};
      const log = createLog({ format: 'json', level: 'info', isTerminal: false });
      for (let n = 0; n < 5000; n++) log.info({ n }, 'x'.repeat(1000));
      process.once('message', () => process.disconnect());
      process.send('said');`,
    );
    const child = spawn(process.execPath, [program], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    const ended = once(child, 'exit');
    const [word] = await once(child, 'message');
    expect(word).toBe('said');
    const lines: { n?: number; lines?: number }[] = [];
    const { stderr } = child;
    if (stderr === null) throw new Error('no stderr');
    createInterface({ input: stderr }).on('line', (line) => {
      const said = JSON.parse(line) as { n?: number; lines?: number };
      lines.push(said);
      if (said.lines !== undefined) child.send('end');
    });
    await ended;
    const said = lines.filter(({ n }) => n !== undefined);
    expect(said.map(({ n }) => n)).toEqual(said.map((_, n) => n));
    expect(said.length * 1000).toBeGreaterThan(2 ** 20);
    expect(lines.at(-1)?.lines).toBe(5000 - said.length);
    expect(said.length).toBeLessThan(3000);
  });
});
