/** Doors that show nothing in particular, but for what a test is about. */
import type { ApiDoors } from '../../src/api/doors.js';

export function doorsThat(changes: Partial<ApiDoors>): ApiDoors {
  return {
    health: () => ({ ok: true, degraded: false, problem: null }),
    ready: () => false,
    report: (limit) => ({ limit, active: [] }),
    upstreams: () => ({ accounts: [] }),
    command: (command, id) =>
      Promise.resolve({ command, id, changed: false, machine_state: 'expired', recording: null }),
    recordings: () => ({ recordings: [] }),
    recording: () => null,
    past: () => Promise.resolve(null),
    plan: () => ({ decisions: [] }),
    guide: () => ({ channels: [] }),
    why: () => Promise.resolve({ decisions: [] }),
    storage: () => Promise.resolve({ lanes: [] }),
    sources: () => ({ sources: [] }),
    machines: () => ({ machines: [] }),
    charts: () => ({ charts: [] }),
    gauges: () => Promise.reject(new Error('no test asks')),
    override: () => Promise.resolve(false),
    media: () => null,
    mediaIndex: () => Promise.resolve(null),
    news: { after: () => [], last: () => 0, watch: () => () => undefined },
    shown: () => ({}),
    inspector: { watch: () => () => undefined, contexts: () => [] },
    ...changes,
  };
}
