import { defineConfig } from 'vitest/config';

/** Tests talk to loopback only and take free ports, so files run side by side. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
