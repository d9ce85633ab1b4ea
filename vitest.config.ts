import { defineConfig } from 'vitest/config';

/** Tests talk to loopback only and take free ports, so files run side by side. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // End-to-end tests wait for wall clocks, not for processors.
    maxWorkers: 2,
    maxConcurrency: 8,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Processes and sockets on a machine that others use too: what fails there twice has failed.
    retry: process.env['CI'] === undefined ? 0 : 1,
  },
});
