/** What the daemon shows and takes through the HTTP door; read at every request. A CodedError becomes its answer. */

import type { CommandVerb } from '../domain/commands.js';
import type { MediaIndex } from '../domain/mediaIndex.js';
import type { CommandAnswer } from '../runtime/commands.js';
import type { Inspector } from '../runtime/inspect.js';
import type { GuideWish } from '../runtime/guideView.js';
import type { News, NewsItem } from '../runtime/news.js';
import type { RecordingsWish } from '../runtime/recordingsView.js';
import type { Media } from './media.js';
import type { Gauges } from './metrics.js';

export type OverrideVerb = 'want' | 'skip' | 'forget';

export interface ApiDoors {
  /** `ok`: the scheduler ticks. `degraded`: it does, but something (the state file) is wrong, and `problem` says what. */
  health(): { readonly ok: boolean; readonly degraded: boolean; readonly problem: string | null };
  /** A guide is loaded. */
  ready(): boolean;
  /** CONTRACT §3's report with at most `limit` items a list, 0 is all; may be `JsonBytes`. */
  report(limit: number): object | Promise<object>;
  /** May be `JsonBytes`. */
  recordings(wish: RecordingsWish): object | Promise<object>;
  /** With everything that is known of it; null where nobody has this id. */
  recording(id: string): object | null;
  /** What happened to it, event by event; null where nobody has this id. */
  past(id: string): Promise<object | null>;
  /** May be `JsonBytes`. */
  plan(): object | Promise<object>;
  /** May be `JsonBytes`. */
  guide(wish: GuideWish): object | Promise<object>;
  /** May be `JsonBytes`. */
  why(query: string): Promise<object>;
  /** Accounts, hosts, connections and who waits for one. */
  upstreams(): object;
  storage(): Promise<object>;
  sources(): object;
  machines(): object;
  /** The charts as graphs to be drawn; never changes. */
  charts(): object;
  gauges(): Promise<Gauges>;
  /** A person's word to a recording, by its id or the beginning of it. */
  command(verb: CommandVerb, id: string): Promise<CommandAnswer>;
  /** The same to a programme; false where nobody knows it. */
  override(capsuleId: string, verb: OverrideVerb): Promise<boolean>;
  media(id: string): Media | null;
  mediaIndex(id: string): Promise<MediaIndex | null>;
  readonly news: Pick<News, 'after' | 'last' | 'watch'>;
  /** What a piece of news is about, as it is now. */
  shown(item: NewsItem): object;
  readonly inspector: Pick<Inspector, 'watch' | 'contexts'>;
}
