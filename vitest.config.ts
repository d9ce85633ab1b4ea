import { configDefaults, defineConfig } from 'vitest/config';
import type { Reporter, TestCase } from 'vitest/node';

/**
 * Tests of these folders leave nothing behind in a process: no environment, no state of a module. So two processes do for
 * all of them, and each loads a module once and not once a file. test/architecture.test.ts holds them to it.
 */
export const SHARING = [
  'cli',
  'config',
  'conformance',
  'domain',
  'expire',
  'finalize',
  'guide',
  'lock',
  'machines',
  'publish',
  'store',
].map((folder) => `test/${folder}`);

const testsOf = (folder: string) => `${folder}/**/*.test.ts`;

/** What passed at its second try says what failed at its first: nobody would ever know. */
const secondTries: Reporter = {
  onTestCaseResult(test: TestCase) {
    if (!test.diagnostic()?.flaky) return;
    for (const { message, diff = '', stack = '' } of test.result().errors ?? [])
      process.stderr.write(`at its first try: ${test.fullName}\n${message}\n${diff}\n${stack}\n`);
  },
};

/** Tests talk to loopback only and take free ports, so files run side by side. */
export default defineConfig({
  test: {
    // End-to-end tests wait for wall clocks, not for processors.
    maxWorkers: 2,
    maxConcurrency: 8,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Processes and sockets on a machine that others use too: what fails there twice has failed.
    retry: process.env['CI'] === undefined ? 0 : 1,
    reporters: ['default', secondTries],
    projects: [
      { extends: true, test: { name: 'sharing', include: SHARING.map(testsOf), isolate: false } },
      {
        extends: true,
        test: {
          name: 'apart',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...SHARING.map(testsOf)],
        },
      },
    ],
  },
});
