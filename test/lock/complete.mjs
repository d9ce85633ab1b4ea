// Second half of `npm run lock`: writes the entries into package-lock.json that npm could not make on this platform,
// and takes registry addresses out of it, so that the lock works with whichever registry npm is set to.
import { readFileSync, writeFileSync } from 'node:fs';
import { entryFor, missingOptionals } from './optional.mjs';

const path = new URL('../../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(path, 'utf8'));
const missing = missingOptionals(lock);
for (const dependency of missing) lock.packages[`node_modules/${dependency.name}`] = entryFor(dependency);
for (const entry of Object.values(lock.packages)) delete entry.resolved;
lock.packages = Object.fromEntries(
  Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en')),
);
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
process.stdout.write(`package-lock.json: ${missing.length} optional packages of other platforms added\n`);
