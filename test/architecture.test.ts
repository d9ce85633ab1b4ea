/**
 * The import table of docs/architecture.md ("The street"), executed: who may import whom, which packages, and what the
 * deciding parts must not touch. Parsed from the sources, so that a type-only import is told from a real one.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { SHARING } from '../vitest.config.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Fewer files than this were read: the test looks at nothing and must not pass. */
const FILES_MIN = 90;

interface Rule {
  /** Folders and files of ours, by the beginning of their path. */
  readonly own: readonly string[];
  /** Of these only types. */
  readonly types?: readonly string[];
  readonly packages?: readonly string[];
  /** Whether Node's own modules may be used. */
  readonly node: boolean;
}

const STAGES = ['src/guide', 'src/capture', 'src/finalize', 'src/publish', 'src/expire'];
const SHARED = ['src/domain', 'src/io', 'src/log.ts'];

function stage(folder: string, packages: readonly string[] = []): Rule {
  return { own: [folder, ...SHARED], types: ['src/config'], packages, node: true };
}

/** The longest key that begins a file's path is its rule. */
const RULES: Readonly<Record<string, Rule>> = {
  'src/domain': { own: ['src/domain'], node: false },
  machines: { own: ['machines', 'src/domain'], packages: ['xstate'], node: false },
  'src/io': { own: ['src/io', 'src/domain'], packages: ['undici'], node: true },
  'src/log.ts': { own: ['src/domain'], packages: ['pino', 'pino-pretty'], node: true },
  'src/guide': stage('src/guide', ['saxes']),
  'src/capture': stage('src/capture', ['hls-parser']),
  'src/finalize': stage('src/finalize'),
  'src/publish': stage('src/publish', ['saxes']),
  'src/expire': stage('src/expire'),
  'src/demo': stage('src/demo'),
  'src/config': { own: ['src/config', 'src/domain'], packages: ['zod', 'yaml'], node: false },
  'src/store': { own: ['src/store', 'src/domain', 'src/io'], packages: ['lowdb', 'zod'], node: true },
  'src/runtime': {
    own: ['src/runtime', 'machines', ...SHARED, ...STAGES, 'src/demo', 'src/config', 'src/store'],
    packages: ['xstate', '@xstate/graph', 'zod'],
    node: true,
  },
  'src/api': {
    own: ['src/api', 'src/domain'],
    types: ['src/runtime', 'src/config'],
    packages: ['zod', 'fastify', 'prom-client'],
    node: true,
  },
  'src/web': {
    own: ['src/web'],
    types: ['src/api', 'src/domain'],
    packages: ['preact', 'mpegts.js', 'zod'],
    node: false,
  },
  'src/cli': {
    own: ['src', 'machines'],
    packages: ['commander', 'zod', 'yaml', 'xstate', 'pino', 'vite'],
    node: true,
  },
};

interface Import {
  readonly specifier: string;
  readonly typesOnly: boolean;
}

interface Source {
  readonly path: string;
  readonly tree: ts.SourceFile;
}

const sources = sourcesUnder(['src', 'machines']);

function sourcesUnder(folders: readonly string[]): Source[] {
  return folders.flatMap(filesUnder).map((path) => ({
    path,
    tree: ts.createSourceFile(path, readFileSync(join(ROOT, path), 'utf8'), ts.ScriptTarget.Latest, true),
  }));
}

function filesUnder(folder: string): string[] {
  const entries = readdirSync(join(ROOT, folder), { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && /\.(?:ts|tsx|mts|mjs|js)$/.test(entry.name))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)));
}

function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit));
}

function importsOf(tree: ts.SourceFile): Import[] {
  const found: Import[] = [];
  walk(tree, (node) => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      found.push({ specifier: node.moduleSpecifier.text, typesOnly: importsOnlyTypes(node.importClause) });
    } else if (
      ts.isExportDeclaration(node) &&
      node.moduleSpecifier &&
      ts.isStringLiteral(node.moduleSpecifier)
    ) {
      found.push({ specifier: node.moduleSpecifier.text, typesOnly: node.isTypeOnly });
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      const { literal } = node.argument;
      if (ts.isStringLiteral(literal)) found.push({ specifier: literal.text, typesOnly: true });
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [target] = node.arguments;
      const specifier = target && ts.isStringLiteralLike(target) ? target.text : '(computed)';
      found.push({ specifier, typesOnly: false });
    }
  });
  return found;
}

/** `import type …`, or every name in the braces marked as a type. */
function importsOnlyTypes(clause: ts.ImportClause | undefined): boolean {
  if (!clause) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const bindings = clause.namedBindings;
  if (clause.name || !bindings || !ts.isNamedImports(bindings) || bindings.elements.length === 0)
    return false;
  return bindings.elements.every((element) => element.isTypeOnly);
}

function ruleOf(path: string): Rule | undefined {
  const key = Object.keys(RULES)
    .filter((prefix) => isUnder(path, prefix))
    .sort((a, b) => b.length - a.length)[0];
  return key === undefined ? undefined : RULES[key];
}

function isUnder(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(`${prefix}/`);
}

/** Why this import is against the table, or null. */
function objection(path: string, { specifier, typesOnly }: Import): string | null {
  const rule = ruleOf(path);
  if (!rule) return `${path} belongs to no row of the table`;
  if (specifier.startsWith('.')) {
    const target = join(dirname(path), specifier).replace(/\.js$/, '.ts');
    if (!/\.(?:js|mjs|json|css)$/.test(specifier)) return `${path} imports ${specifier} without its ending`;
    const allowed =
      (rule.own.some((prefix) => isUnder(target, prefix)) && !isUnder(target, 'src/web')) ||
      (isUnder(path, 'src/web') && isUnder(target, 'src/web')) ||
      (typesOnly && (rule.types ?? []).some((prefix) => isUnder(target, prefix)));
    return allowed ? null : `${path} may not import ${typesOnly ? 'types of ' : ''}${target}`;
  }
  const name = specifier.replace(/^node:/, '');
  if (specifier.startsWith('node:') || builtinModules.includes(name)) {
    return rule.node ? null : `${path} may not use ${specifier}`;
  }
  const pack = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  return (rule.packages ?? []).includes(pack) ? null : `${path} may not use the package ${pack}`;
}

describe('the import table', () => {
  it('is kept by every file', () => {
    const objections = sources.flatMap(({ path, tree }) =>
      importsOf(tree).flatMap((each) => objection(path, each) ?? []),
    );
    expect(objections).toEqual([]);
  });

  it('was asked about a whole program', () => {
    expect(sources.length).toBeGreaterThanOrEqual(FILES_MIN);
    expect(sources.flatMap(({ tree }) => importsOf(tree)).length).toBeGreaterThan(FILES_MIN * 2);
    for (const folder of [
      'machines',
      'src/domain',
      'src/io',
      'src/guide',
      'src/capture',
      'src/config',
      'src/api',
    ]) {
      expect(sources.some(({ path }) => isUnder(path, folder))).toBe(true);
    }
  });

  it.each([
    ['src/domain/plan.ts', '../io/clock.js', true, false],
    ['src/domain/plan.ts', 'node:crypto', false, false],
    ['src/domain/plan.ts', 'zod', false, false],
    ['src/domain/plan.ts', './lane.js', false, true],
    ['src/guide/poll.ts', '../capture/spool.js', false, false],
    ['src/guide/poll.ts', '../capture/spool.js', true, false],
    ['src/guide/poll.ts', '../config/config.js', true, true],
    ['src/guide/poll.ts', '../config/config.js', false, false],
    ['src/guide/poll.ts', '../io/clock', false, false],
    ['src/guide/poll.ts', 'saxes', false, true],
    ['src/capture/feed.ts', 'saxes', false, false],
    ['src/api/server.ts', '../runtime/daemon.js', true, true],
    ['src/api/server.ts', '../runtime/daemon.js', false, false],
    ['src/cli/main.ts', '../runtime/daemon.js', false, true],
    ['src/cli/main.ts', '../web/page.js', false, false],
    ['machines/guide.ts', 'xstate', false, true],
    ['machines/guide.ts', '../src/domain/plan.js', false, true],
    ['machines/guide.ts', '../src/io/clock.js', true, false],
    ['src/other/thing.ts', './else.js', false, false],
  ])('of %s on %s (types only: %s) says %s', (path, specifier, typesOnly, allowed) => {
    expect(objection(path, { specifier, typesOnly }) === null).toBe(allowed);
  });

  it('reads every form of import', () => {
    const text = [
      "import a, { b } from 'one';",
      "import type { C } from 'two';",
      "import { type D } from 'three';",
      "export * from 'four';",
      "export type { E } from 'five';",
      "const f = await import('six');",
      "type G = import('seven').G;",
      "import 'eight';",
    ].join('\n');
    const found = importsOf(ts.createSourceFile('x.ts', text, ts.ScriptTarget.Latest, true));
    expect(found.map((each) => `${each.specifier}${each.typesOnly ? ' types' : ''}`)).toEqual([
      'one',
      'two types',
      'three types',
      'four',
      'five types',
      'six',
      'seven types',
      'eight',
    ]);
  });
});

describe('the way in', () => {
  /** What is loaded with a file, dynamic imports left out. */
  function loadedWith(path: string, seen = new Set<string>()): Set<string> {
    if (seen.has(path)) return seen;
    seen.add(path);
    const tree = sources.find((source) => source.path === path)?.tree;
    for (const statement of tree?.statements ?? []) {
      if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) continue;
      if (!statement.moduleSpecifier || !ts.isStringLiteral(statement.moduleSpecifier)) continue;
      const isType = ts.isImportDeclaration(statement)
        ? importsOnlyTypes(statement.importClause)
        : statement.isTypeOnly;
      const { text } = statement.moduleSpecifier;
      if (isType) continue;
      if (text.startsWith('.')) loadedWith(join(dirname(path), text.replace(/\.js$/, '.ts')), seen);
      else seen.add(text);
    }
    return seen;
  }

  it('loads nothing of the recorder for a command that does not record: `health` runs twice a minute', () => {
    const loaded = [...loadedWith('src/cli/main.ts')];
    expect(loaded).toEqual(expect.arrayContaining(['src/cli/load.ts', 'commander', 'pino']));
    expect(loaded.filter((path) => /^(?:undici|fastify|xstate|saxes|lowdb|prom-client)$/.test(path))).toEqual(
      [],
    );
  });
});

describe('names', () => {
  it('say what a file is for', () => {
    const bad = sources.filter(({ path }) => {
      const stem = basename(path).replace(/\.\w+$/, '');
      return (
        stem === 'index' ||
        /(?:^|[\W_])(?:utils?|helpers?)(?:$|[\W_])|(?:Utils?|Helpers?)$|[mM]anager$/.test(stem)
      );
    });
    expect(bad.map(({ path }) => path)).toEqual([]);
  });

  it('of interfaces have no prefix', () => {
    const bad: string[] = [];
    for (const { path, tree } of sources) {
      walk(tree, (node) => {
        if (ts.isInterfaceDeclaration(node) && /^I[A-Z][a-z]/.test(node.name.text))
          bad.push(`${path} ${node.name.text}`);
      });
    }
    expect(bad).toEqual([]);
  });
});

describe('deciding is pure', () => {
  const deciding = sources.filter(({ path }) => isUnder(path, 'machines') || isUnder(path, 'src/domain'));

  it.each([
    'Date.now',
    'performance.now',
    'Math.random',
    'crypto.randomUUID',
    'process.env',
    'process.hrtime',
  ])('without %s', (access) => {
    const [object, property] = access.split('.');
    expect(
      placesOf(
        (node) =>
          ts.isPropertyAccessExpression(node) &&
          node.expression.getText() === object &&
          node.name.text === property,
      ),
    ).toEqual([]);
  });

  it('without the clock of a new Date or a timer', () => {
    const isNow = (node: ts.Node) =>
      ts.isNewExpression(node) && node.expression.getText() === 'Date' && (node.arguments ?? []).length === 0;
    const isTimer = (node: ts.Node) =>
      ts.isCallExpression(node) &&
      /^(?:setTimeout|setInterval|setImmediate)$/.test(node.expression.getText());
    expect(placesOf((node) => isNow(node) || isTimer(node))).toEqual([]);
  });

  it('without delayed transitions: deadlines are data', () => {
    const isAfter = (node: ts.Node) => ts.isPropertyAssignment(node) && node.name.getText() === 'after';
    expect(placesOf(isAfter, 'machines')).toEqual([]);
  });

  it('is looked at in many files', () => {
    expect(deciding.length).toBeGreaterThan(20);
  });

  function placesOf(wrong: (node: ts.Node) => boolean, under = ''): string[] {
    return deciding
      .filter(({ path }) => under === '' || isUnder(path, under))
      .flatMap(({ path, tree }) => {
        const found: string[] = [];
        walk(tree, (node) => {
          if (!wrong(node)) return;
          found.push(
            `${path}:${tree.getLineAndCharacterOfPosition(node.getStart()).line + 1} ${node.getText()}`,
          );
        });
        return found;
      });
  }
});

describe('tests that share a process', () => {
  const sharing = sourcesUnder(SHARING);
  const OF_THE_PROCESS = /^(?:process|globalThis|global|console)\b/;
  const CHANGING_CALLS =
    /^(?:vi\.\w+|process\.(?:chdir|umask|on|once|addListener|setuid|setgid)|setGlobalDispatcher)$/;

  /** What a file of tests would leave behind for the next one in its process. */
  function leftBehind(node: ts.Node): boolean {
    if (ts.isCallExpression(node)) return CHANGING_CALLS.test(node.expression.getText());
    if (ts.isDeleteExpression(node)) return OF_THE_PROCESS.test(node.expression.getText());
    return (
      ts.isBinaryExpression(node) &&
      node.operatorToken.kind >= ts.SyntaxKind.FirstAssignment &&
      node.operatorToken.kind <= ts.SyntaxKind.LastAssignment &&
      OF_THE_PROCESS.test(node.left.getText())
    );
  }

  it('leave its environment, its globals and its listeners as they were', () => {
    const found: string[] = [];
    for (const { path, tree } of sharing)
      walk(tree, (node) => {
        if (leftBehind(node)) found.push(`${path} ${node.getText()}`);
      });
    expect(found).toEqual([]);
    expect(sharing.length).toBeGreaterThan(100);
  });

  it('use modules that keep nothing of their own between them', () => {
    const tested = SHARING.map((folder) => folder.replace(/^test/, 'src')).concat('machines');
    const kept = sources
      .filter(({ path }) => path.endsWith('.ts') && tested.some((folder) => isUnder(path, folder)))
      .flatMap(({ path, tree }) =>
        tree.statements
          .filter(
            (line) => ts.isVariableStatement(line) && !(line.declarationList.flags & ts.NodeFlags.Const),
          )
          .map((line) => `${path} ${line.getText()}`),
      );
    expect(kept).toEqual([]);
  });
});
