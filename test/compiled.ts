/** Parts of the program as plain JavaScript: Node 20 starts no thread from TypeScript, so what one needs is compiled first. */
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';

/** `folders` from the top of the project into `into`; gives the place of one of their files there. */
export function compiled(into: string, folders: readonly string[], file: string): URL {
  for (const folder of folders) {
    mkdirSync(join(into, folder), { recursive: true });
    for (const name of readdirSync(folder).filter((each) => each.endsWith('.ts'))) {
      const source = readFileSync(join(folder, name), 'utf8');
      const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
      const { outputText } = ts.transpileModule(source, { compilerOptions });
      writeFileSync(join(into, folder, name.replace(/\.ts$/, '.js')), outputText);
    }
  }
  writeFileSync(join(into, 'package.json'), '{"type":"module"}');
  symlinkSync(join(process.cwd(), 'node_modules'), join(into, 'node_modules'));
  return pathToFileURL(join(into, file));
}
