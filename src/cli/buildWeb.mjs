// Makes dist/web of the dashboard. Where vite is not installed it says so and goes on: a packed release carries its
// dist already, and the recorder records without a page.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', 'web');
let vite;
try {
  vite = await import('vite');
} catch {
  process.stdout.write('catchupd: vite is not installed, the dashboard is not built\n');
  process.exit(0);
}
await vite.build({
  root,
  // Relative, so that the page works under any sub-path.
  base: './',
  configFile: false,
  logLevel: 'warn',
  build: {
    outDir: join(root, '..', '..', 'dist', 'web'),
    emptyOutDir: true,
    target: 'es2022',
    chunkSizeWarningLimit: 600,
    modulePreload: { polyfill: false },
  },
});
