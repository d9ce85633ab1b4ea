/**
 * What Xtream panels say while the daemon runs: how many connections an account may have, and how many others have open
 * just now (a viewer, another device). Asked with every list, and again while somebody waits for a place on it.
 */

import type { SchedulerContext } from '../../machines/schedulerContext.js';
import { accountOf } from '../domain/account.js';
import type { SourceRef } from '../domain/channel.js';
import type { PanelFacts } from '../domain/panel.js';
import type { ListData } from '../domain/programme.js';
import { usedOf, type AccountLimit } from '../domain/slots.js';

/** While somebody waits it is asked no more often than that. */
const ASK_MS_MIN = 60_000;
/** What others had open is believed for that long. */
const BELIEVED_MS = 150_000;

export interface PanelsDoors {
  readonly lists: () => Iterable<{ readonly ref: SourceRef; readonly list: ListData | null }>;
  readonly ask: (ref: SourceRef, signal: AbortSignal) => Promise<PanelFacts | null>;
  /** What is known has changed. */
  readonly onNews: () => void;
}

export interface PanelAccount {
  readonly max: number;
  readonly others: AccountLimit['others'];
}

export interface Panels {
  /** By account: what panels say of them. */
  accounts(): ReadonlyMap<string, PanelAccount>;
  /** Asks again where somebody waits for a place. */
  look(table: SchedulerContext, at: number): void;
  stop(): void;
}

interface Asked {
  readonly at: number;
  readonly facts: PanelFacts | null;
  readonly others: AccountLimit['others'];
}

export function createPanels(doors: PanelsDoors): Panels {
  const asked = new Map<string, Asked>();
  const over = new AbortController();

  async function ask(ref: SourceRef, account: string, table: SchedulerContext, at: number): Promise<void> {
    // Ours are counted as they were when it was asked: what closes meanwhile the panel may not have noticed yet.
    const ours = usedOf(table, account, at);
    asked.set(ref.id, { facts: null, others: null, ...asked.get(ref.id), at });
    const facts = await doors.ask(ref, over.signal);
    if (facts === null || over.signal.aborted) return;
    const { connectionsOpen } = facts;
    const open = connectionsOpen === null ? null : Math.max(0, connectionsOpen - ours);
    asked.set(ref.id, { at, facts, others: open === null ? null : { open, until: at + BELIEVED_MS } });
    doors.onNews();
  }

  return {
    accounts() {
      const accounts = new Map<string, PanelAccount>();
      for (const { ref, list } of doors.lists()) {
        const account = panelAccount(list);
        if (account === null) continue;
        const news = asked.get(ref.id);
        const max = (news?.facts ?? list?.panel)?.connectionsMax ?? 0;
        accounts.set(account, { max, others: news?.others ?? null });
      }
      return accounts;
    },
    look(table, at) {
      const waiting = new Set(
        table.queue.flatMap(({ candidates }) => candidates.flatMap(({ accounts }) => accounts ?? [])),
      );
      for (const { ref, list } of doors.lists()) {
        const account = panelAccount(list);
        if (account === null || !waiting.has(account)) continue;
        if (at - (asked.get(ref.id)?.at ?? -Infinity) >= ASK_MS_MIN) void ask(ref, account, table, at);
      }
    },
    stop: () => over.abort(),
  };
}

/** Every address of a panel's list carries the same login. */
function panelAccount(list: ListData | null): string | null {
  const url = list?.panel ? list.channels[0]?.urls[0] : undefined;
  return url === undefined ? null : accountOf(url).key;
}
