/** What the daemon shows and takes through the HTTP door; read at every request. A CodedError becomes its answer. */

import type { CommandVerb } from '../domain/commands.js';
import type { CommandAnswer } from '../runtime/commands.js';

export interface ApiDoors {
  /** `ok`: the scheduler ticks. `degraded`: it does, but something (the state file) is wrong. More fields are shown. */
  health(): { readonly ok: boolean; readonly degraded: boolean };
  /** A guide is loaded. */
  ready(): boolean;
  /** CONTRACT §3's report with at most `limit` items a list, 0 is all. */
  report(limit: number): object | Promise<object>;
  /** Accounts, hosts, connections and who waits for one. */
  upstreams(): object;
  /** A person's word to a recording, by its id or the beginning of it. */
  command(verb: CommandVerb, id: string): Promise<CommandAnswer>;
}
