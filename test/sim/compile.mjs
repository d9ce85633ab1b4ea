/** The simulation as plain JavaScript, file by file: types are checked elsewhere, and a storm runs faster without a test runner. */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export const TOP = fileURLToPath(new URL('../..', import.meta.url));
const FOLDERS = ['src', 'machines', 'test/sim', 'test/fakes'];

/** Gives a new folder; whoever asked for it removes it. */
export function compileAll() {
  const folder = mkdtempSync(join(tmpdir(), 'catchupd-sim-'));
  for (const part of FOLDERS)
    for (const entry of readdirSync(join(TOP, part), { withFileTypes: true, recursive: true })) {
      const path = relative(TOP, join(entry.parentPath, entry.name));
      if (!entry.isFile() || path.startsWith('src/web') || !/(?<!\.test|\.d)\.ts$/.test(path)) continue;
      compileInto(folder, path, readFileSync(join(TOP, path), 'utf8'));
    }
  cpSync(join(TOP, 'package.json'), join(folder, 'package.json'));
  symlinkSync(join(TOP, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

/** `path` is that of the source, from the top. */
export function compileInto(folder, path, text) {
  const target = join(folder, path.replace(/\.ts$/, '.js'));
  const compilerOptions = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext };
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, ts.transpileModule(text, { compilerOptions }).outputText);
}
