/** The benchmarks there are. A new one is a file, an entry here and a line in docs/contributing.md. */
import type { Bench } from './bench.js';
import { captureBench } from './capture.js';
import { doorsBench } from './doors.js';
import { guideBench } from './guide.js';
import { hlsBench } from './hls.js';
import { loopBench } from './loop.js';
import { pageBench } from './page.js';
import { planBench } from './plan.js';
import { startBench } from './start.js';
import { storeBench } from './store.js';

export const BENCHES: readonly Bench[] = [
  captureBench,
  hlsBench,
  storeBench,
  startBench,
  guideBench,
  planBench,
  loopBench,
  pageBench,
  doorsBench,
];
