/**
 * The documentation says what the program does: every table in docs/ that has a table in the sources is compared with
 * it, row by row. `npm run docs` writes them anew.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { pageRoutes } from '../src/api/pages.js';
import { routesOf } from '../src/api/routes.js';
import { createThrift } from '../src/api/thrift.js';
import { COMMANDS } from '../src/cli/commands.js';
import { GROUPS, type Group, type OptionRow } from '../src/config/optionRow.js';
import { envName, optionsOf, settableOptions } from '../src/config/options.js';
import { ERRORS } from '../src/domain/errors.js';
import { PLAN_REASONS } from '../src/domain/reasons.js';
import { doorsThat } from './api/aDoor.js';
import { CHARTS, type Chart } from './charts.js';
import { diagramOf, statesOf, transitionsOf, TRANSITIONS } from './statecharts.js';

type Table = readonly (readonly string[])[];

const UPDATE = process.env['UPDATE_DOCS'] === '1';

function place(path: string): URL {
  return new URL(`../${path}`, import.meta.url);
}

/** Between `<!-- table: NAME -->` and `<!-- end -->`; the cells as text, without the header and its line. */
function tableIn(document: string, name: string): Table {
  const text = readFileSync(place(document), 'utf8');
  const block = new RegExp(`<!-- table: ${name} -->([^]*?)<!-- end -->`).exec(text)?.[1] ?? '';
  const lines = block.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .replace(/^\||\|\s*$/g, '')
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim()),
  );
}

function write(document: string, name: string, header: readonly string[], table: Table): void {
  const text = readFileSync(place(document), 'utf8');
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const lines = [row(header), row(header.map(() => '---')), ...table.map(row)].join('\n');
  const block = new RegExp(`(<!-- table: ${name} -->)[^]*?(<!-- end -->)`);
  writeFileSync(
    place(document),
    text.replace(block, (_all, from: string, to: string) => `${from}\n\n${lines}\n\n${to}`),
  );
}

function check(document: string, name: string, header: readonly string[], table: Table): void {
  if (UPDATE) write(document, name, header, table);
  expect(tableIn(document, name)).toEqual(table);
}

function cell(text: string): string {
  return text
    .replaceAll('|', '\\|')
    .replaceAll('*', '\\*')
    .replaceAll('<', '&lt;')
    .replaceAll('\n', ' ')
    .trim();
}

function code(text: string): string {
  return text === '' ? '' : `\`${text.replaceAll('|', '\\|')}\``;
}

function optionCells(row: OptionRow): string[] {
  const others = Object.entries(row.defaults ?? {}).map(
    ([command, value]) => `${code(value)} for \`${command}\``,
  );
  const standard = [code(row.default ?? ''), ...others].filter((part) => part !== '').join('; ');
  const words = row.words && row.value === undefined ? row.words.join('|') : (row.value ?? '');
  const variables = [envName(row.name), ...(row.fallback === undefined ? [] : [row.fallback])];
  return [
    code(`--${row.name}${words === '' ? '' : ` ${words}`}`),
    standard,
    row.lineOnly === true ? '' : variables.map(code).join(', '),
    cell(row.description),
  ];
}

describe('docs/configuration.md', () => {
  const header = ['option', 'default', 'environment', 'meaning'];
  const settable = settableOptions();

  it.each(GROUPS.filter((group) => group !== 'answer').map((group): [Group] => [group]))(
    'has the options of "%s"',
    (group) => {
      const rows = settable.filter((row) => row.group === group);
      expect(rows.length).toBeGreaterThan(0);
      check('docs/configuration.md', group, header, rows.map(optionCells));
    },
  );

  it('has the options of answers', () => {
    const rows = new Map(
      COMMANDS.flatMap(({ name }) => optionsOf(name))
        .filter((row) => row.group === 'answer')
        .map((row) => [row.name, row]),
    );
    expect(rows.size).toBeGreaterThan(1);
    check('docs/configuration.md', 'answer', header, [...rows.values()].map(optionCells));
  });

  it('has the commands', () => {
    const rows = COMMANDS.map(({ name, aliases, argument = '', summary }) => [
      code(argument === '' ? name : `${name} ${argument.replace(/[<>.]/g, '').toUpperCase()}`),
      aliases.map(code).join(', '),
      cell(summary),
    ]);
    check('docs/configuration.md', 'commands', ['command', 'also', 'does'], rows);
  });
});

describe('docs/operations.md', () => {
  it('has every address of the HTTP door', () => {
    const pages = pageRoutes({ index: null, assets: new Map() });
    const rows = [...routesOf(doorsThat({}), createThrift()), ...pages].map(({ method, path, summary }) => [
      code(`${method} ${path.replace(/:(\w+)/g, (_all, name: string) => name.toUpperCase())}`),
      cell(summary),
    ]);
    check('docs/operations.md', 'http', ['address', 'answers'], rows);
  });
});

describe('docs/errors.md', () => {
  it('has every failure', () => {
    const rows = Object.entries(ERRORS).map(([name, { meaning, retryable, http, hint }]) => [
      code(name),
      cell(meaning),
      retryable ? 'yes' : 'no',
      String(http),
      cell(hint),
    ]);
    check('docs/errors.md', 'errors', ['code', 'meaning', 'tried again', 'HTTP', 'what to do'], rows);
  });

  it('has every reason of the plan', () => {
    const rows = Object.entries(PLAN_REASONS).map(([name, meaning]) => [code(name), cell(meaning)]);
    check('docs/errors.md', 'plan reasons', ['reason', 'meaning'], rows);
  });

  const outcomes = 'src/domain/outcomeReasons.ts';
  it.runIf(existsSync(place(outcomes)))('has every reason of an outcome', async () => {
    const loaded: unknown = await import(place(outcomes).href);
    const { OUTCOME_REASONS } = z.object({ OUTCOME_REASONS: z.record(z.string(), z.string()) }).parse(loaded);
    const rows = Object.entries(OUTCOME_REASONS).map(([name, meaning]) => [code(name), cell(meaning)]);
    check('docs/errors.md', 'outcome reasons', ['reason', 'meaning'], rows);
  });

  it('gives every failure a sentence and something to do', () => {
    for (const [name, { meaning, hint, http }] of Object.entries(ERRORS)) {
      expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
      expect(meaning).toMatch(/^\S.*\.$/);
      expect(hint.length).toBeGreaterThan(3);
      expect(http).toBeGreaterThanOrEqual(400);
    }
  });
});

describe('docs/statecharts.md', () => {
  const document = 'docs/statecharts.md';
  const diagram = (name: string) =>
    new RegExp(`(<!-- diagram: ${name} -->\\n*)\`\`\`mermaid\\n([^]*?)\`\`\``);

  it.each(CHARTS.map((chart): [string, Chart] => [chart.name, chart]))(
    'shows the chart "%s"',
    (name, chart) => {
      if (UPDATE) writeChart(chart);
      const text = readFileSync(place(document), 'utf8');
      expect(diagram(name).exec(text)?.[2]?.trimEnd()).toBe(diagramOf(chart));
      check(document, `${name} states`, ['state', 'on the way in', 'effect'], statesOf(chart));
      check(document, `${name} transitions`, TRANSITIONS, transitionsOf(chart));
    },
  );

  /** A chart that the page does not have yet gets a section at its end. */
  function writeChart(chart: Chart): void {
    const { name, about } = chart;
    const text = readFileSync(place(document), 'utf8');
    const picture = `<!-- diagram: ${name} -->\n\n\`\`\`mermaid\n${diagramOf(chart)}\n\`\`\``;
    const tables = ['states', 'transitions'].map((table) => `<!-- table: ${name} ${table} --><!-- end -->`);
    const section = [`## ${name}`, about, picture, ...tables].join('\n\n');
    const known = diagram(name).test(text);
    writeFileSync(
      place(document),
      known ? text.replace(diagram(name), () => picture) : `${text.trimEnd()}\n\n${section}\n`,
    );
  }
});

describe('links', () => {
  const documents = [
    'README.md',
    'CHANGELOG.md',
    ...['configuration', 'errors', 'contributing', 'operations', 'statecharts'].map(
      (each) => `docs/${each}.md`,
    ),
  ];

  it.each(documents)('of %s lead somewhere', (document) => {
    const text = readFileSync(place(document), 'utf8');
    const targets = [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map((match) => match[1] ?? '');
    const dead = targets.filter(
      (target) => !/^[a-z]+:/.test(target) && !existsSync(new URL(target, place(document))),
    );
    expect(dead).toEqual([]);
  });
});
