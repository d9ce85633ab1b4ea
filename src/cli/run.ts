/**
 * `run`: the daemon in the foreground, until a signal, `--run-for`, or (`--once`) until there is nothing left to do.
 * With nothing configured it brings its own provider along, so that a first look needs no setup.
 */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exists, type Disk } from '../io/disk.js';
import { nodeDisk } from '../io/nodeDisk.js';
import { openFilesMax } from '../io/openFiles.js';
import type { Clock, TimerHandle } from '../io/clock.js';
import { CodedError } from '../domain/errors.js';
import { startApi, type Api } from '../api/server.js';
import type { Config } from '../config/config.js';
import { serveCommandFiles } from '../runtime/commandFiles.js';
import { startInspectRelay } from '../runtime/inspectRelay.js';
import { startDaemon, type Daemon } from '../runtime/daemon.js';
import { daemonViews } from '../runtime/daemonViews.js';
import type { Doors } from '../runtime/doors.js';
import { withDemo, type EmbeddedDemo } from './embeddedDemo.js';
import { loadConfig } from './load.js';
import { closeDoors, openDoors, type Session } from './session.js';
import { chooseSource } from './sourceChoice.js';
import { onSignals } from './signals.js';
import { version as versionOf } from './version.js';
import { progressLines } from './progress.js';
import type { Screen } from './screen.js';
import { serviceManager } from './systemd.js';

const DRAW_MS = 1_000;
/** The scheduler must have looked around this recently to count as alive. */
const TICK_MS_MAX = 120_000;

export async function run(session: Session): Promise<number> {
  const { loaded, log } = session;
  const stateOfRealSources = await exists(nodeDisk, loaded.config.places.stateFile).catch(() => false);
  const doors = openDoors(log, loaded.config.places.publishDir);
  let demo: EmbeddedDemo | null = null;
  try {
    if (chooseSource(loaded, { env: process.env, stateOfRealSources }) === 'demo')
      demo = await withDemo(session, doors);
    return await runDaemon(session, demo?.config ?? loaded.config, doors, demo !== null);
  } finally {
    await demo?.close();
    await closeDoors(doors);
  }
}

async function runDaemon(session: Session, config: Config, doors: Doors, isDemo: boolean): Promise<number> {
  const { log } = session;
  process.umask(config.places.umask);
  const daemon = await startDaemon({ config, doors, mode: config.run.once ? 'once' : 'always' });
  const signals = onSignals({
    stop: () => void daemon.stop(),
    reread: () => void reread(session, daemon, isDemo),
    late: () =>
      log.fatal(
        'it does not come to its end in time (does a disk hang?) and is ended; it goes on at the next start',
      ),
  });
  const files = serveCommandFiles(doors, join(config.places.outDir, '.catchupd'), daemon.command);
  const manager = serviceManager(process.env, doors.clock, log, () => isAlive(daemon, config));
  const { inspectWs } = config.doors;
  const relay = inspectWs === null ? null : startInspectRelay(inspectWs, daemon.watch.inspector, doors);
  let api: Api | null = null;
  let drawing: { stop(): void } | null = null;
  try {
    api = await listen(session, config, daemon, doors.disk, isDemo);
    daemon.listensOn(api?.address ?? null);
    if (config.run.runForMs > 0) doors.clock.after(config.run.runForMs, () => void daemon.stop());
    log.info(
      { outDir: config.places.outDir, publishDir: config.places.publishDir, listen: api?.address ?? null },
      'catchupd runs',
    );
    manager.ready();
    drawing = draw(session.screen, daemon, doors.clock, api?.address ?? null);
    const problem = await daemon.ended;
    if (problem !== null) log.error({ code: problem }, 'ended with a problem');
    return problem === null ? 0 : 1;
  } catch (error) {
    await daemon.stop();
    throw error;
  } finally {
    manager.stopping();
    files.stop();
    drawing?.stop();
    relay?.stop();
    signals.ignore();
    await api?.close();
  }
}

/** Progress below the log, where that is a terminal. */
function draw(
  screen: Screen | null,
  daemon: Daemon,
  clock: Clock,
  address: string | null,
): { stop(): void } | null {
  if (screen === null) return null;
  let timer: TimerHandle = clock.after(0, show);
  function show(): void {
    const { now } = daemon.status();
    screen?.show(progressLines({ entries: daemon.book.all(), now, columns: screen.columns(), address }));
    timer = clock.after(DRAW_MS, show);
  }
  return {
    stop() {
      timer.cancel();
      screen.clear();
    },
  };
}

function isAlive(daemon: Daemon, config: Config): boolean {
  const { tickedAt, now } = daemon.status();
  const lateMs = Math.max(TICK_MS_MAX, 3 * config.when.pollIntervalMs);
  return tickedAt !== null && now - tickedAt < lateMs;
}

/** SIGHUP: the configuration is read anew and taken where it is right; captures are not touched. */
async function reread({ log }: Session, daemon: Daemon, isDemo: boolean): Promise<void> {
  try {
    const { argv, env } = process;
    const loaded = await loadConfig({
      argv: argv.slice(2),
      env,
      cwd: process.cwd(),
      readFile: (path) => readFile(path, 'utf8'),
      openFilesMax: await openFilesMax(),
    });
    if (loaded.kind === 'command' && !isDemo) daemon.reconfigure(loaded.config);
    log.info('configuration and sources are read again');
  } catch (error) {
    const problem = error instanceof CodedError ? error.detail : String(error);
    log.error({ problem }, 'the configuration is wrong; the one in use stays');
  }
  daemon.refresh();
}

async function listen(
  { log }: Session,
  config: Config,
  daemon: Daemon,
  disk: Disk,
  isDemo: boolean,
): Promise<Api | null> {
  const { listen: where, apiToken, noAuth, publicUrl, connectionsMax } = config.doors;
  if (where === null) return null;
  if (noAuth) log.warn({ listen: where }, 'anyone who reaches this address may use it (--no-auth)');
  const version = await versionOf();
  const options = {
    ...where,
    access: { token: apiToken, noAuth },
    publicUrl,
    connectionsMax,
    version,
    webFolder: fileURLToPath(new URL('../../web', import.meta.url)),
    log,
    doors: {
      ...daemonViews(daemon, config, disk, version),
      health() {
        const { degraded } = daemon.status();
        return { ok: isAlive(daemon, config), degraded: degraded !== null, problem: degraded };
      },
    },
  };
  try {
    return await startApi(options);
  } catch (error) {
    const busy = error instanceof CodedError && error.code === 'listen_failed';
    if (!isDemo || !busy) throw error;
    log.warn({ port: where.port }, 'the port is taken; another one is used');
    return startApi({ ...options, port: 0 });
  }
}
