/** The benchmarks there are. A new one is a file, an entry here and a line in docs/contributing.md. */
import type { Bench } from './bench.js';
import { captureBench } from './capture.js';

export const BENCHES: readonly Bench[] = [captureBench];
