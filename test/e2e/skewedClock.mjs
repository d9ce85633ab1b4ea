/** Loaded before the program (`NODE_OPTIONS=--import`): SIGUSR2 sets its wall clock ahead by SKEW_MS, the next one back. */
const real = Date.now;
let ahead = 0;
Date.now = () => real() + ahead;
process.on('SIGUSR2', () => {
  ahead = ahead === 0 ? Number(process.env.SKEW_MS) : 0;
});
