/**
 * The demo as a source: the embedded provider started beside the daemon, and the settings under which somebody who
 * just typed `npm start` sees a whole recording soon. What was given on the command line still counts.
 */

import { join, resolve } from 'node:path';
import type { Config } from '../config/config.js';
import { startDemoProvider, type DemoProvider } from '../demo/provider.js';
import { replaceFile } from '../io/replaceFile.js';
import { CodedError } from '../domain/errors.js';
import { diskCode } from '../io/disk.js';
import type { Doors } from '../runtime/doors.js';
import { fetchText } from './fetchText.js';
import type { Session } from './session.js';

export interface EmbeddedDemo {
  readonly config: Config;
  close(): Promise<void>;
}

const FIRST_START_MS = 8_000;
const DEMO_PORT = 8_999;

export async function withDemo({ loaded, say }: Session, doors: Doors): Promise<EmbeddedDemo> {
  const provider = await startProvider();
  try {
    const config = await configure(loaded.config, loaded.given, provider, doors);
    say(
      [
        'No source is configured, so catchupd records from its own demo provider.',
        `  recordings  ${config.places.outDir}`,
        `  provider    ${provider.m3uUrl}`,
        `  your own    catchupd run --m3u FILE|URL --xmltv FILE|URL   (README: "Your first own recording")`,
        '',
      ].join('\n'),
    );
    return { config, close: () => provider.close() };
  } catch (error) {
    await provider.close();
    throw error;
  }
}

/** The same port again where it is free, so that what was under way finds its streams after a restart. */
async function startProvider(): Promise<DemoProvider> {
  const options = { host: '127.0.0.1', firstStartInMs: FIRST_START_MS, faults: true };
  return startDemoProvider({ ...options, port: DEMO_PORT }).catch(() =>
    startDemoProvider({ ...options, port: 0 }),
  );
}

async function configure(
  config: Config,
  given: ReadonlySet<string>,
  provider: DemoProvider,
  doors: Doors,
): Promise<Config> {
  const or = <T>(option: string, value: T, demo: T): T => (given.has(option) ? value : demo);
  const outDir = or('out-dir', config.places.outDir, resolve('catchup-demo'));
  const list = join(outDir, '.catchupd', 'demo.m3u');
  try {
    await doors.disk.mkdir(join(outDir, '.catchupd'));
    await replaceFile(doors.disk, list, await fetchText(doors.transport, provider.m3uUrl));
  } catch (error) {
    if (error instanceof CodedError) throw error;
    throw new CodedError('folder_unwritable', `${outDir} (${diskCode(error)})`);
  }
  return {
    ...config,
    sources: { ...config.sources, m3u: [list], xmltv: [provider.xmltvUrl] },
    places: {
      ...config.places,
      outDir,
      stateFile: or('state-file', config.places.stateFile, join(outDir, 'recorder-state.json')),
    },
    when: {
      ...config.when,
      pollIntervalMs: or('poll-interval', config.when.pollIntervalMs, 10_000),
      prePaddingMs: or('pre-padding', config.when.prePaddingMs, 3_000),
      postPaddingMs: or('post-padding', config.when.postPaddingMs, 5_000),
      // What is half over when the demo starts would be a partial recording: not what a first look should show.
      joinMinLeft: or('join-min-left', config.when.joinMinLeft, 0.97),
    },
    how: { ...config.how, concurrencyMax: or('max-concurrency', config.how.concurrencyMax, 8) },
    keep: { ...config.keep, completedMax: or('retain-completed', config.keep.completedMax, 100) },
    what: { ...config.what, horizonMs: or('horizon', config.what.horizonMs, 600_000) },
    doors: { ...config.doors, listen: or('listen', config.doors.listen, { host: '127.0.0.1', port: 8_998 }) },
  };
}
