import { defineConfig } from 'vitest/config';

/** `npm run test:browser`: the dashboard in a real browser, Debian's chromium on the PATH. */
export default defineConfig({
  test: {
    include: ['test/browser/**/*.browser.ts'],
    maxWorkers: 1,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
