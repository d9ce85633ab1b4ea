/** The planner behind its thread says what the desk in this thread says, whatever it was told and however often. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { resolveConfig } from '../../src/config/resolve.js';
import type { Override } from '../../src/domain/override.js';
import type { ListData } from '../../src/domain/programme.js';
import type { Tombstone } from '../../src/domain/recording.js';
import { createInlineParse } from '../../src/guide/inlineParse.js';
import { nodeDisk } from '../../src/io/nodeDisk.js';
import type { PageParts, PlanFacts } from '../../src/runtime/planFacts.js';
import type { Entry } from '../../src/runtime/entries.js';
import { createPlannerHere, type KeptGuide, type Planner } from '../../src/runtime/planner.js';
import { createThreadPlanner } from '../../src/runtime/threadPlanner.js';
import { compiled } from '../compiled.js';
import { aRecording } from '../domain/aRecording.js';
import { capsule, channel, DAY, HOUR, tombstone } from '../domain/programmes.js';

const PARTS = ['machines', 'src/runtime', 'src/guide', 'src/domain', 'src/io', 'src/store'];
const NOW = DAY + 12 * HOUR;
const CHANNELS = Array.from({ length: 130 }, (_, n) => channel(`One ${n}`, { tvgId: `one-${n}` }));

let folder = '';
let script: URL;
const open: Planner[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'catchupd-planner-'));
  script = compiled(join(folder, 'built'), PARTS, 'src/runtime/planThread.js');
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((planner) => planner.close()));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function started(at: URL = script, patienceMs?: number): Planner {
  const planner = createThreadPlanner(at, patienceMs);
  open.push(planner);
  return planner;
}

function jobOf(name: string, titles: readonly string[]) {
  const stamp = (at: number) => new Date(at).toISOString().slice(0, 19).replace(/\D/g, '');
  const rows = titles.map((title, i) => {
    const startAt = NOW + Math.floor(i / CHANNELS.length) * HOUR;
    return `<programme start="${stamp(startAt)}" stop="${stamp(startAt + HOUR)}" channel="one-${i % CHANNELS.length}"><title>${title}</title></programme>`;
  });
  const path = join(folder, name);
  writeFileSync(path, `<tv>${rows.join('')}</tv>`);
  return { path, fromAt: NOW - 24 * HOUR, toAt: NOW + 24 * HOUR, timezone: 'UTC' };
}

async function factsOf(over: Partial<PlanFacts> = {}): Promise<PlanFacts> {
  const { config } = await resolveConfig({
    command: 'run',
    line: new Map(Object.entries({ m3u: ['x.m3u'], 'out-dir': ['/tmp/none'] })),
    env: {},
    cwd: '/',
    readFile: () => Promise.reject(Object.assign(new Error('ENOENT'), { code: 'ENOENT' })),
  });
  const nothing = { known: new Map(), tombstones: new Map(), overrides: new Map(), accounts: new Map() };
  const lists = new Map([['list', { list: listOf(CHANNELS.length) }]]);
  return { config, lists, aliases: undefined, guides: [], rules: undefined, ...nothing, ...over };
}

function listOf(channels: number): ListData {
  return { channels: CHANNELS.slice(0, channels), guideUrls: [], skipped: {} };
}

function entry(n: number, path: string): Entry {
  const title = `Show ${n}`;
  const of = capsule('11:00', '12:00', title, { dnaId: CHANNELS[n % CHANNELS.length]?.dnaId ?? '' });
  const id = (0xabcdef00 + n).toString(16);
  const window = { startAt: of.startAt, stopAt: of.stopAt, prePaddingMs: 0, postPaddingMs: 0 };
  const recording = aRecording({ id, capsule: of, keys: [of.recordKey], window });
  return { id, recording, path, rev: 1, updatedAt: 0 };
}

function textOf(parts: PageParts): string {
  return parts
    .map((part) => (typeof part === 'string' ? `<${part}>` : new TextDecoder().decode(part)))
    .join('');
}

interface World {
  guide: number;
  titles: number;
  channels: number;
  horizonMs: number;
  readonly known: Map<string, Entry>;
  readonly tombstones: Map<string, Tombstone>;
  readonly overrides: Map<string, Override>;
}

const step = fc.oneof(
  fc.record({ do: fc.constant('guide' as const), n: fc.nat(400) }),
  fc.record({ do: fc.constant('list' as const), n: fc.nat(CHANNELS.length) }),
  fc.record({ do: fc.constant('horizon' as const), n: fc.integer({ min: 1, max: 12 }) }),
  fc.record({
    do: fc.constant('recording' as const),
    n: fc.nat(250),
    path: fc.constantFrom('scheduled.early', 'published', 'spooling.open', 'gone'),
  }),
  fc.record({ do: fc.constant('buried' as const), n: fc.nat(250) }),
  fc.record({ do: fc.constant('word' as const), n: fc.nat(250) }),
);

it('says what the desk in the same thread says, over any changes', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(step, { maxLength: 6 }), { minLength: 2, maxLength: 4 }),
      async (turns) => {
        const [there, here] = [started(), createPlannerHere(createInlineParse(nodeDisk))];
        const base = await factsOf();
        const world: World = {
          guide: 0,
          titles: 300,
          channels: CHANNELS.length,
          horizonMs: 3 * HOUR,
          known: new Map(),
          tombstones: new Map(),
          overrides: new Map(),
        };
        let list = listOf(world.channels);
        let number: readonly [number, number] | null = null;
        for (const [turn, steps] of turns.entries()) {
          const at = NOW + turn * HOUR;
          for (const one of steps)
            switch (one.do) {
              case 'guide':
                world.titles = 1 + one.n;
                break;
              case 'list':
                list = listOf(one.n);
                break;
              case 'horizon':
                world.horizonMs = one.n * HOUR;
                break;
              case 'recording': {
                const { id } = entry(one.n, 'published');
                if (one.path === 'gone') world.known.delete(id);
                else world.known.set(id, entry(one.n, one.path));
                break;
              }
              case 'buried': {
                const mark = tombstone(capsule('11:00', '12:00', `Show ${one.n}`));
                world.tombstones.set(`t${one.n}`, { ...mark, id: `t${one.n}` });
                break;
              }
              case 'word': {
                const { capsuleId, recordKey, startAt, stopAt } = capsule('13:00', '14:00', `Show ${one.n}`);
                const said = { word: 'want', keys: [recordKey], startAt, stopAt, at } as unknown as Override;
                world.overrides.set(capsuleId, said);
              }
            }
          const job = jobOf(
            'guide.xml',
            Array.from({ length: world.titles }, (_, i) => `Show ${i + turn}`),
          );
          const read: readonly [KeptGuide, KeptGuide] = await Promise.all([
            there.read(job, number?.[0] ?? null),
            here.read(job, number?.[1] ?? null),
          ]);
          expect({ ...read[0], number: 0 }).toEqual({ ...read[1], number: 0 });
          if (number) for (const [i, planner] of [there, here].entries()) planner.release(number[i] ?? 0);
          number = [read[0].number, read[1].number];
          Object.assign(base.config.what, { horizonMs: world.horizonMs });
          const facts = (guide: number) => ({
            ...base,
            lists: new Map([['list', { list }]]),
            guides: [guide],
            known: new Map(world.known),
            tombstones: world.tombstones,
          });
          const [one, two] = [facts(number[0]), facts(number[1])];
          const wish = { at, bytesPerMs: 1_000 };
          const page = { fromAt: at - 3 * HOUR, toAt: at + 3 * HOUR, q: '', offset: 0, limit: 0 };
          // Asked at once: what is told for one must be whole before another is answered.
          const ask = async (planner: Planner, about: PlanFacts) => [
            ...(await Promise.all([
              planner.plan(about, wish),
              planner.guidePage(about, page, at).then(textOf),
              planner.capsule(about, capsule('13:00', '14:00', 'Show 7').capsuleId, at),
            ])),
            await planner.planPage(at).then(textOf),
            await planner.found('show 1'),
          ];
          expect(await ask(there, one)).toEqual(await ask(here, two));
        }
        await there.close();
      },
    ),
    { numRuns: 5 },
  );
});

/** A thread that does this at the first word it hears in its first life, and in its second is the real one. */
function failingFirst(name: string, doing: string): URL {
  const path = join(folder, `built/src/runtime/${name}.js`);
  const mark = join(folder, name);
  writeFileSync(
    path,
    `import { existsSync, writeFileSync } from 'node:fs';
     import { parentPort } from 'node:worker_threads';
     if (existsSync(${JSON.stringify(mark)})) await import('./planThread.js');
     else parentPort.on('message', () => { writeFileSync(${JSON.stringify(mark)}, ''); ${doing} });`,
  );
  return pathToFileURL(path);
}

it('says so when its thread dies, and begins anew', async () => {
  const planner = started(failingFirst('dying', `throw new Error('boom');`));
  let lost = 0;
  planner.onLost(() => (lost += 1));
  const job = jobOf('small.xml', ['Show']);
  const facts = await factsOf();
  const wish = { at: NOW, bytesPerMs: 1_000 };
  const [read, planned] = await Promise.allSettled([planner.read(job, null), planner.plan(facts, wish)]);
  expect(read).toMatchObject({ status: 'rejected', reason: { code: 'guide_unreadable' } });
  expect(planned).toMatchObject({ status: 'rejected', reason: { code: 'guide_unreadable' } });
  expect(lost).toBe(1);
  const kept = await planner.read(job, null);
  const { decisions } = await planner.plan({ ...facts, guides: [kept.number] }, wish);
  expect(decisions.map(({ capsule: { title } }) => title)).toEqual(['Show']);
});

it('gives up a thread that says nothing any more, and begins anew', async () => {
  const planner = started(failingFirst('hanging', 'for (;;);'), 5_000);
  const job = jobOf('small.xml', ['Show']);
  await expect(planner.read(job, null)).rejects.toMatchObject({ code: 'guide_unreadable' });
  expect((await planner.read(job, null)).counts.programmes).toBe(1);
});

it('passes the codes of the parser on, and goes on working', async () => {
  const planner = started();
  const page = join(folder, 'page.xml');
  writeFileSync(page, '<html><body>login</body></html>');
  const job = jobOf('small.xml', ['Show']);
  await expect(planner.read({ ...job, path: page }, null)).rejects.toMatchObject({ code: 'guide_not_xmltv' });
  expect((await planner.read(job, null)).counts.programmes).toBe(1);
});

it('takes nothing more once it is closed', async () => {
  const planner = started();
  const job = jobOf('small.xml', ['Show']);
  await planner.read(job, null);
  await planner.close();
  await expect(planner.read(job, null)).rejects.toMatchObject({ detail: 'stopping' });
});

it.each([
  ['the planner', 'src/runtime/threadPlanner.js', 'createThreadPlanner', 'planPage(0)'],
  ['the parser', 'src/guide/workerParse.js', 'createWorkerParse', "list({ path: 'x' })"],
])('a program that closes %s while its answer is on the way waits for its end', (_, file, create, ask) => {
  const flag = join(folder, `${create}.answered`);
  const thread = join(folder, `${create}.thread.mjs`);
  const answered = `writeFileSync(${JSON.stringify(flag)}, '')`;
  writeFileSync(
    thread,
    `import { writeFileSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
parentPort.on('message', ({ id }) => { parentPort.postMessage({ kind: 'done', id, rest: {} }); ${answered}; });`,
  );
  const program = join(folder, `${create}.program.mjs`);
  const url = (path: string) => JSON.stringify(pathToFileURL(path).href);
  writeFileSync(
    program,
    `import { existsSync } from 'node:fs';
import { ${create} } from ${url(join(folder, 'built', file))};
const own = ${create}(new URL(${url(thread)}));
own.${ask}.catch(() => {});
await new Promise(setImmediate);
while (!existsSync(${JSON.stringify(flag)}));
await own.close();
process.stdout.write('closed');`,
  );
  const { stdout, stderr, status } = spawnSync(process.execPath, [program], { encoding: 'utf8' });
  expect({ stdout, stderr, status }).toEqual({ stdout: 'closed', stderr: '', status: 0 });
});
