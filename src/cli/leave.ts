/**
 * The end of the process where something hangs. A call of a disk or a name server that never returns keeps a program
 * alive, and `process.exit` waits for it as well; what is on disk is consistent at every instant (P7), so that it may
 * end as by a kill.
 */

/** What runs on the threads that `process.exit` waits for. */
const ON_THREADS = /^(?:FSReq|FileHandleClose|GetAddrInfo|GetNameInfo)/;

const LOOK_MS = 50;

/**
 * Ends the process with this code, or by SIGKILL where it could not: a call that is under way may be one that only
 * takes its time, and has so long to return.
 */
export function leave(code: number, patienceMs = 0): void {
  if (!process.getActiveResourcesInfo().some((name) => ON_THREADS.test(name))) process.exit(code);
  if (patienceMs <= 0) process.kill(process.pid, 'SIGKILL');
  setTimeout(() => leave(code, patienceMs - LOOK_MS), LOOK_MS).unref();
}
