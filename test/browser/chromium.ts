/** Debian's chromium, wherever the PATH has it. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';

export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: found(['chromium', 'chromium-browser', 'google-chrome']),
    args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required'],
  });
}

function found(names: readonly string[]): string {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter))
    for (const name of names) {
      try {
        accessSync(join(folder, name), constants.X_OK);
        return join(folder, name);
      } catch {
        // The next one.
      }
    }
  throw new Error(`no browser on the PATH (${names.join(', ')}): apt-get install chromium`);
}
