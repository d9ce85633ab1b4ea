/**
 * `run`: the daemon in the foreground, until a signal, `--run-for`, or (`--once`) until there is nothing left to do.
 * With nothing configured it brings its own provider along, so that a first look needs no setup.
 */

import { exists } from '../io/disk.js';
import { nodeDisk } from '../io/nodeDisk.js';
import { CodedError } from '../domain/errors.js';
import { startApi, type Api } from '../api/server.js';
import type { Config } from '../config/config.js';
import { reportOf } from '../runtime/reporting.js';
import { startDaemon, type Daemon } from '../runtime/daemon.js';
import type { Doors } from '../runtime/doors.js';
import { withDemo, type EmbeddedDemo } from './embeddedDemo.js';
import { closeDoors, openDoors, type Session } from './session.js';
import { chooseSource } from './sourceChoice.js';
import { onSignals } from './signals.js';

/** The scheduler must have looked around this recently to count as alive. */
const TICK_MS_MAX = 120_000;

export async function run(session: Session): Promise<number> {
  const { loaded, log } = session;
  const stateOfRealSources = await exists(nodeDisk, loaded.config.places.stateFile).catch(() => false);
  const doors = openDoors(log);
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
    reread: () => {
      log.info('sources are read again');
      daemon.refresh();
    },
  });
  let api: Api | null = null;
  try {
    api = await listen(session, config, doors, daemon, isDemo);
    daemon.listensOn(api?.address ?? null);
    if (config.run.runForMs > 0) doors.clock.after(config.run.runForMs, () => void daemon.stop());
    log.info(
      { outDir: config.places.outDir, publishDir: config.places.publishDir, listen: api?.address ?? null },
      'catchupd runs',
    );
    const problem = await daemon.ended;
    if (problem !== null) log.error({ code: problem }, 'ended with a problem');
    return problem === null ? 0 : 1;
  } catch (error) {
    await daemon.stop();
    throw error;
  } finally {
    signals.ignore();
    await api?.close();
  }
}

async function listen(
  { log }: Session,
  config: Config,
  doors: Doors,
  daemon: Daemon,
  isDemo: boolean,
): Promise<Api | null> {
  const { listen: where, apiToken, noAuth, publicUrl } = config.doors;
  if (where === null) return null;
  if (noAuth) log.warn({ listen: where }, 'anyone who reaches this address may use it (--no-auth)');
  const options = {
    ...where,
    access: { token: apiToken, noAuth },
    publicUrl,
    log,
    doors: {
      health() {
        const { tickedAt, degraded } = daemon.status();
        const late = Math.max(TICK_MS_MAX, 3 * config.when.pollIntervalMs);
        const ok = tickedAt !== null && doors.clock.now() - tickedAt < late;
        return { ok, degraded: degraded !== null, problem: degraded };
      },
      ready: () => daemon.status().ready,
      report: (limit: number) => reportOf(config, daemon.book, doors.clock.now(), limit),
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
