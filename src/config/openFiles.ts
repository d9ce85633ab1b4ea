/**
 * What a process may have open at once, as the kernel lets it, is shared out before anything starts. Where it ran out in
 * the middle of recordings, disks and folders would seem to be gone (P4, P8).
 */
import type { Config } from './config.js';

/** State, guides, lists, pictures, servers that are told, recordings that are finished. */
const FILES_BESIDE = 128;
/** Its socket, and spool and index of two recordings: one ends while the next begins. */
const FILES_A_CONNECTION = 5;
/** Of all, at least and at most, for those who look: the dashboard, players, scripts. */
const VIEWERS_SHARE = 1 / 4;
const VIEWERS_MIN = 32;
/** Nobody has more connections. */
const PLENTY = 2_000;

/** `filesMax`: Infinity where nobody says. `warning`: null where there is enough for what was asked. */
export function withinOpenFiles(
  config: Config,
  filesMax: number,
): { readonly config: Config; readonly warning: string | null } {
  const { concurrencyMax } = config.how;
  const viewersMax = Math.max(VIEWERS_MIN, Math.floor(filesMax * VIEWERS_SHARE));
  const viewers = Math.min(config.doors.connectionsMax, viewersMax);
  const left = filesMax - FILES_BESIDE - viewers;
  const connections = Math.max(1, Math.floor(left / FILES_A_CONNECTION));
  const doors = { ...config.doors, connectionsMax: viewers };
  const isEnough = concurrencyMax > 0 ? concurrencyMax <= connections : connections >= PLENTY;
  if (isEnough) return { config: { ...config, doors }, warning: null };
  const asked = concurrencyMax > 0 ? String(concurrencyMax) : 'as many as there are';
  return {
    config: { ...config, doors, how: { ...config.how, concurrencyMax: connections } },
    warning:
      `this process may have ${filesMax} files open, enough for ${connections} connections at a time and not for ` +
      `${asked} (--max-concurrency); raise it (ulimit -n, LimitNOFILE= of systemd, --ulimit nofile= of docker)`,
  };
}
