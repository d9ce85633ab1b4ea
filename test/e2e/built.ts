/**
 * The program as it is shipped, made from the tree as it is: every test file that starts processes asks here. A build
 * is named by what went into it, so that runs side by side share one and never disturb each other or `dist`.
 */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type typescript from 'typescript';
import { cacheFolder } from '../media/ffmpeg.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FOLDERS = ['src', 'machines', 'test/fakes', 'test/media', 'test/sim'];
const OLD_MS = 3_600_000;

export interface Built {
  /** `dist/src/cli/main.js` */
  readonly main: string;
  /** The provider fake as a program. */
  readonly provider: string;
  /** A simulated storm as a program. */
  readonly storm: string;
  /** Root of the built package. */
  readonly folder: string;
}

let known: Built | undefined;

/** Compiled file by file: whether the types fit is said by `npm run types`, not here. Looked for once. */
export function built(): Built {
  return (known ??= find());
}

function find(): Built {
  const sources = FOLDERS.flatMap(sourcesUnder);
  const name = `build-${digest(sources)}`;
  const folder = join(cacheFolder(), name);
  if (!existsSync(folder)) {
    dropOld(name);
    const making = mkdtempSync(join(cacheFolder(), 'making-'));
    // Other users run it too.
    chmodSync(making, 0o755);
    build(making, sources);
    try {
      renameSync(making, folder);
    } catch (error) {
      // Another test file was quicker; its build is the same.
      rmSync(making, { recursive: true, force: true });
      if (!existsSync(folder)) throw error;
    }
  }
  return {
    folder,
    main: join(folder, 'dist/src/cli/main.js'),
    provider: join(folder, 'dist/test/fakes/providerProgram.js'),
    storm: join(folder, 'dist/test/sim/stormProgram.js'),
  };
}

function sourcesUnder(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /(?<!\.test|\.d)\.ts$/.test(entry.name))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .toSorted();
}

function digest(sources: readonly string[]): string {
  const hash = createHash('sha1').update(ROOT);
  for (const path of ['package.json', 'tsconfig.json', ...sources])
    hash.update(`${path}\0`).update(readFileSync(join(ROOT, path)));
  return hash.digest('hex').slice(0, 16);
}

function build(into: string, sources: readonly string[]): void {
  // Big, and most files of tests find a build that is there already.
  const ts = createRequire(import.meta.url)('typescript') as typeof typescript;
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (path) => readFileSync(path, 'utf8')) as {
    config: { compilerOptions: unknown };
  };
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, ROOT);
  // A file alone does not know that its package is one of modules.
  const compilerOptions = { ...options, module: ts.ModuleKind.ESNext, sourceMap: false };
  for (const path of sources) {
    const target = join(into, 'dist', path.replace(/\.ts$/, '.js'));
    const { outputText } = ts.transpileModule(readFileSync(join(ROOT, path), 'utf8'), {
      fileName: join(ROOT, path),
      compilerOptions,
    });
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, outputText);
  }
  cpSync(join(ROOT, 'package.json'), join(into, 'package.json'));
  cpSync(join(ROOT, 'src/demo/clips'), join(into, 'src/demo/clips'), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(into, 'node_modules'));
}

/** Builds of an hour ago are nobody's any more. */
function dropOld(current: string): void {
  for (const name of readdirSync(cacheFolder())) {
    const path = join(cacheFolder(), name);
    if (!/^(?:build|making)-/.test(name) || name === current) continue;
    const { mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { mtimeMs: Infinity };
    if (Date.now() - mtimeMs > OLD_MS) rmSync(path, { recursive: true, force: true });
  }
}
