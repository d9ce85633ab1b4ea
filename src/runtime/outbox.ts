/**
 * The outbox: what is owed to media servers, webhooks and the command after publishing. Rows are put into the state in
 * the same turn as the change that owes them, so that there is never one without the other (P7); when they go out is
 * said by one chart a receiver (`machines/library.ts`), and nothing goes out before it is on disk (P9).
 */

import type { LibraryContext, LibraryEvent, LibraryInput } from '../../machines/library.js';
import type { Config } from '../config/config.js';
import type { DeliverOutcome } from '../domain/deliver.js';
import type { Notice } from '../domain/notice.js';
import { eventFor, noticeBody, refusedNotice } from '../domain/notice.js';
import { nextRow, postponed, queued, rowOf, type Owed, type OwedRow } from '../domain/outbox.js';
import type { Recording } from '../domain/recording.js';
import { COMMAND } from '../publish/command.js';
import type { Delivery, Receiver } from '../publish/receiver.js';
import type { OutboxRow } from '../store/document.js';
import type { Store } from '../store/store.js';
import type { Book } from './book.js';
import { gist } from './entries.js';
import type { Doors } from './doors.js';
import { recordedLanes } from './lanes.js';
import { receiversOf } from './receivers.js';
import type { Roots } from './roots.js';

export interface Outbox {
  /** A chart for each receiver, and what it starts with. */
  charts(): readonly LibraryInput[];
  deliver(receiver: string, signal: AbortSignal): Promise<DeliverOutcome>;
  /** Called in the turn of the change itself. */
  published(recording: Recording): void;
  removed(recording: Recording): void;
  tell(notice: Notice): void;
  /** What a receiver's chart says of it. */
  hear(receiver: string, problem: LibraryContext['problem'], refused: boolean): void;
  /** The configuration has changed: receivers are made anew, and what waits for a reason of its own is due now. */
  reconfigured(): void;
  /** Every receiver is asked again, also one that refused us. */
  retry(): void;
  /** Libraries are asked for; at every start, so that one that was lost comes back. */
  register(): void;
  /** Rows that go out soon, so that a run that ends by itself waits for them. */
  isBusy(): boolean;
  view(): readonly ReceiverView[];
  /** Ends what is under way; it is tried again at the next start. */
  close(): Promise<void>;
}

export interface ReceiverView {
  readonly name: string;
  readonly shown: string;
  readonly owed: number;
  readonly problem: string | null;
}

export interface OutboxDoors {
  readonly config: Config;
  readonly doors: Doors;
  readonly store: Store;
  readonly roots: Roots;
  readonly book: () => Book;
  /** Resolves with whether the manifest lists a recording; writes it where it does not yet. */
  readonly listed: (id: string) => Promise<boolean>;
  /** To the chart of a receiver, where it lives. */
  readonly send: (receiver: string, event: LibraryEvent) => void;
}

/** How soon a row counts as under way. */
const SOON_MS = 10_000;

export function createOutbox(parts: OutboxDoors): Outbox {
  const { config, doors, store, roots } = parts;
  const { clock, log } = doors;
  const rows = new Map<string, OwedRow>();
  let seq = 0;
  for (const [id, value] of store.all('outbox')) {
    const row = rowOf(value);
    if (row) rows.set(id, row);
    else log.warn({ id }, 'a row of the outbox makes no sense and is left alone');
    seq = Math.max(seq, row?.seq ?? 0);
  }
  const closing = new AbortController();
  const running = new Set<Promise<unknown>>();
  /** The last problem that was said of a row or of its receiver. */
  const said = new Map<string, string>();
  const nextSeq = () => (seq += 1);
  const makeReceivers = () =>
    receiversOf({ config, doors, store, roots, seq: nextSeq, onNewLibrary: oweAll });
  let receivers = makeReceivers();

  function put(row: OwedRow): void {
    rows.set(row.id, row);
    store.set('outbox', row.id, row as unknown as OutboxRow);
  }

  function drop(row: OwedRow): void {
    // One that was put anew meanwhile is still owed.
    if (rows.get(row.id)?.seq !== row.seq) return;
    rows.delete(row.id);
    store.set('outbox', row.id, null);
  }

  function owe(receiver: string, owed: Owed): void {
    const at = clock.now();
    const row = queued(owed, receiver, at, nextSeq(), rows);
    put(row);
    // A chart may be in the middle of a transition; no other may run inside of it.
    queueMicrotask(() => parts.send(receiver, { type: 'OWED', at, dueAt: row.dueAt }));
  }

  function oweFolder(receiver: string, recording: Recording, change: 'created' | 'removed'): void {
    const { files, capsule, id } = recording;
    const root = roots.publish;
    if (!files || !root || !files.media.startsWith(`${root.path}/`)) return;
    const { name, kind } = recordedLanes(config).find((each) => each.name === capsule.lane) ?? {
      name: capsule.lane,
      kind: 'movies' as const,
    };
    owe(receiver, {
      kind: 'scan',
      change,
      lane: name,
      laneKind: kind,
      folder: files.folder,
      ...(files.series && { media: files.media }),
      recordingId: id,
    });
  }

  function oweServers(recording: Recording, change: 'created' | 'removed'): void {
    if (!config.publish.refresh) return;
    for (const { name } of config.publish.servers) oweFolder(name, recording, change);
  }

  /** A new library is told of what lies in its lane already, folder by folder. */
  function oweAll(server: string, lane: string): void {
    if (!config.publish.refresh) return;
    for (const entry of parts.book().all())
      if (entry.path === 'published' && gist(entry).lane === lane)
        oweFolder(server, entry.recording, 'created');
  }

  function tell(notice: Notice, but: string | null = null): void {
    for (const { name, events } of config.publish.webhooks) {
      const event = eventFor(notice, events);
      if (event === null || name === but) continue;
      owe(name, { kind: 'notice', event, facts: noticeBody(notice, event, clock.now()) });
    }
    if (config.publish.onPublished && notice.events.includes('published'))
      owe(COMMAND, {
        kind: 'notice',
        event: 'published',
        facts: noticeBody(notice, 'published', clock.now()),
      });
  }

  async function deliver(receiver: Receiver, signal: AbortSignal): Promise<DeliverOutcome> {
    const row = nextRow(rows.values(), receiver.name);
    if (!row || isFar(row)) return delivered(receiver.name);
    await written(row, signal);
    if (signal.aborted)
      return {
        kind: 'failed',
        at: clock.now(),
        code: 'server_failing',
        detail: 'stopped',
        retryAfterMs: null,
      };
    if (await mustWait(row)) {
      postpone(row, 'deferred', null);
      return delivered(receiver.name);
    }
    return settle(receiver, row, await receiver.deliver(row, signal));
  }

  /** A row from the future was queued before the clock was set back: it has waited. */
  function isFar({ dueAt, queuedAt }: OwedRow): boolean {
    return dueAt > clock.now() + SOON_MS && queuedAt <= clock.now();
  }

  /** P9: what is not on disk may be undone by a power cut; nobody is told of it before. */
  async function written(row: OwedRow, signal: AbortSignal): Promise<void> {
    const known = 'recordingId' in row ? parts.book().durable(row.recordingId) : Promise.resolve();
    const gone = new Promise<void>((resolve) =>
      signal.addEventListener('abort', () => resolve(), { once: true }),
    );
    await Promise.race([gone, Promise.all([store.written('outbox', row.id), known])]);
  }

  async function mustWait(row: OwedRow): Promise<boolean> {
    if (!config.publish.deferRefresh || row.kind !== 'scan' || row.change !== 'created') return false;
    return !(await parts.listed(row.recordingId));
  }

  function settle(receiver: Receiver, row: OwedRow, delivery: Delivery): DeliverOutcome {
    const at = clock.now();
    switch (delivery.kind) {
      case 'done':
        said.delete(row.id);
        // A change that came meanwhile has a scan of its own, and a question of its own after it.
        if (rows.get(row.id)?.seq === row.seq) for (const next of delivery.next) put(next);
        drop(row);
        return delivered(receiver.name);
      case 'later': {
        const { code, detail, retryAfterMs } = delivery;
        if (said.get(row.id) !== code)
          log.warn({ server: receiver.name, code, detail }, 'a delivery has to wait');
        said.set(row.id, code);
        postpone(row, code, retryAfterMs);
        return delivered(receiver.name);
      }
      case 'dropped':
        log.warn(
          { server: receiver.name, code: delivery.code, detail: delivery.detail },
          'a delivery is given up',
        );
        said.delete(row.id);
        drop(row);
        return delivered(receiver.name);
      case 'failed':
      case 'refused':
        return { ...delivery, at };
    }
  }

  function postpone(row: OwedRow, code: string, retryAfterMs: number | null): void {
    if (rows.get(row.id)?.seq !== row.seq) return;
    const later = postponed(row, clock.now(), code, retryAfterMs);
    if (later) put(later);
    else drop(row);
  }

  function delivered(receiver: string): DeliverOutcome {
    return { kind: 'delivered', at: clock.now(), nextAt: nextRow(rows.values(), receiver)?.dueAt ?? null };
  }

  /** Rows of receivers that are configured no more are owed to nobody. */
  function forgetOthers(): void {
    for (const row of rows.values()) if (!receivers.has(row.receiver)) drop(row);
  }

  return {
    charts: () =>
      [...receivers.keys()].map((receiver) => ({
        receiver,
        dueAt: nextRow(rows.values(), receiver)?.dueAt ?? null,
      })),
    async deliver(name, signal) {
      const receiver = receivers.get(name);
      if (!receiver) return { kind: 'delivered', at: clock.now(), nextAt: null };
      const task = deliver(receiver, AbortSignal.any([signal, closing.signal]));
      const settled = task.catch(() => undefined);
      running.add(settled);
      try {
        return await task;
      } finally {
        running.delete(settled);
      }
    },
    published: (recording) => oweServers(recording, 'created'),
    removed: (recording) => oweServers(recording, 'removed'),
    tell: (notice) => tell(notice),
    hear(name, problem, refused) {
      const shown = receivers.get(name)?.shown ?? name;
      const before = said.get(name);
      if (problem === null) {
        said.delete(name);
        if (before !== undefined) log.info({ server: name, shown }, 'a receiver answers again');
        return;
      }
      if (before === problem.code) return;
      said.set(name, problem.code);
      const { code, detail } = problem;
      if (!refused)
        return log.warn(
          { server: name, shown, code, detail },
          'a receiver does not answer; what it is owed is kept',
        );
      log.error(
        { server: name, shown, code, detail },
        'a receiver refuses our token and is left alone until the configuration is read again',
      );
      queueMicrotask(() => tell(refusedNotice(name, detail), name));
    },
    reconfigured() {
      receivers = makeReceivers();
      forgetOthers();
      said.clear();
      const at = clock.now();
      for (const row of rows.values()) if (row.problem !== '') put({ ...row, dueAt: at });
    },
    retry() {
      const at = clock.now();
      for (const name of receivers.keys()) {
        parts.send(name, { type: 'RELOADED', at });
        const dueAt = nextRow(rows.values(), name)?.dueAt;
        if (dueAt !== undefined) parts.send(name, { type: 'OWED', at, dueAt });
      }
    },
    register() {
      forgetOthers();
      for (const { name } of config.publish.servers) owe(name, { kind: 'register' });
    },
    isBusy: () =>
      [...receivers.keys()].some((name) => {
        if (said.has(name)) return false;
        const row = nextRow(rows.values(), name);
        return row !== null && row.tries === 0 && row.dueAt <= clock.now() + SOON_MS;
      }),
    view: () =>
      [...receivers.values()].map(({ name, shown }) => ({
        name,
        shown,
        owed: [...rows.values()].filter(({ receiver }) => receiver === name).length,
        problem: said.get(name) ?? null,
      })),
    async close() {
      closing.abort();
      await Promise.all(running);
    },
  };
}
