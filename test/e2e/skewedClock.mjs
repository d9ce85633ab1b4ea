/**
 * Loaded before the program (`NODE_OPTIONS=--import`): SIGUSR2 sets its wall clock ahead by SKEW_MS, the next one back.
 * With SKEW_FROM_START it is ahead from the beginning.
 */
const real = Date.now;
let ahead = process.env.SKEW_FROM_START === undefined ? 0 : Number(process.env.SKEW_MS);
Date.now = () => real() + ahead;
process.on('SIGUSR2', () => {
  ahead = ahead === 0 ? Number(process.env.SKEW_MS) : 0;
});
