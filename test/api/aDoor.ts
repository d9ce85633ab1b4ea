/** Doors that show nothing in particular, but for what a test is about. */
import type { ApiDoors } from '../../src/api/doors.js';

export function doorsThat(changes: Partial<ApiDoors>): ApiDoors {
  return {
    health: () => ({ ok: true, degraded: false }),
    ready: () => false,
    report: (limit) => ({ limit, active: [] }),
    upstreams: () => ({ accounts: [] }),
    command: (command, id) =>
      Promise.resolve({ command, id, changed: false, machine_state: 'gone', recording: null }),
    ...changes,
  };
}
