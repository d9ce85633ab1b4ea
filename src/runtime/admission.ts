/** Whether anything new may start, and what has to end for the others when a disk is nearly full; said once each. */

import type { SchedulerEvent } from '../../machines/schedulerContext.js';
import type { Store } from '../store/store.js';
import type { Book } from './book.js';
import type { DiskWatch } from './diskWatch.js';
import type { Doors } from './doors.js';

export interface AdmissionDoors {
  readonly doors: Pick<Doors, 'clock' | 'log'>;
  readonly book: Book;
  readonly store: Store;
  readonly watch: DiskWatch;
  readonly send: (event: SchedulerEvent) => void;
  /** Why nothing new starts from now on; null is that it does. */
  readonly onChange: (code: string | null) => void;
  readonly isOver: () => boolean;
}

export interface Admission {
  /** Measures, and tells what changed. */
  look(): Promise<void>;
  /** A new scheduler has not been told of what keeps recordings out. */
  forget(): void;
}

export function createAdmission(parts: AdmissionDoors): Admission {
  const { book, store, watch, send, onChange, isOver } = parts;
  const { clock, log } = parts.doors;
  let admission: string | null = null;

  /** What keeps new recordings out, if anything. */
  async function admit(): Promise<void> {
    const reason = await refusal();
    if (reason === admission || isOver()) return;
    if (reason === null) log.info('new recordings start again');
    else log.warn({ code: reason }, 'nothing new starts');
    admission = reason;
    onChange(reason);
    send({ type: 'ADMISSION', at: clock.now(), admission });
  }

  async function refusal(): Promise<string | null> {
    return store.status().writable ? watch.refusal() : 'state_unwritable';
  }

  /** One at a time, so that what it frees is seen before the next is asked to end; it goes on when there is room. */
  function relieve(): void {
    const at = clock.now();
    const { stop } = watch.ladder();
    const recording = admission === 'disk_floor' && stop !== null ? book.get(stop)?.recording : undefined;
    if (stop !== null && recording) {
      log.error(
        { id: stop, title: recording.capsule.title, code: 'disk_floor' },
        'ended for want of disk space',
      );
      send({ type: 'FORWARD', at, id: stop, event: { type: 'CANCEL', at, reason: 'disk_floor' } });
    }
    if (admission !== null) return;
    for (const entry of book.all())
      if (entry.path === 'cancelled.revocable' && entry.recording.cancelReason === 'disk_floor')
        send({ type: 'FORWARD', at, id: entry.id, event: { type: 'RETRY', at } });
  }

  return {
    async look() {
      await admit();
      relieve();
    },
    forget() {
      admission = null;
    },
  };
}
