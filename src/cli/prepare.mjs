// `npm ci` builds. Where TypeScript is not installed (NODE_ENV=production, --omit=dev) it says so and goes on:
// a packed release carries its dist already.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
let tsc;
try {
  tsc = require.resolve('typescript/bin/tsc');
} catch {
  process.stdout.write(
    'catchupd: TypeScript is not installed, nothing is built (npm ci --include=dev builds)\n',
  );
  process.exit(0);
}
const built = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { stdio: 'inherit' });
if (built.status !== 0) process.exit(built.status ?? 1);
// The dashboard; without vite it says so, and the recorder does without.
const page = spawnSync(process.execPath, ['src/cli/buildWeb.mjs'], { stdio: 'inherit' });
process.exit(page.status ?? 1);
