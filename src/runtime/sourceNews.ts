/** What the log says of lists and guides: each news once. */

import type { GuideContext } from '../../machines/guide.js';
import type { Config } from '../config/config.js';
import { wideOpen } from '../domain/advice.js';
import { shownLocation } from '../guide/fetchSource.js';
import type { Store } from '../store/store.js';
import type { Doors } from './doors.js';
import type { Sources } from './sources.js';

export interface SourceNews {
  /** A source's chart is in another state. */
  moved(sourceId: string, state: string, context: GuideContext): void;
  sayIfWideOpen(): void;
}

export function createSourceNews(
  config: Config,
  { log }: Pick<Doors, 'log'>,
  sources: Sources,
  store: Pick<Store, 'all' | 'set'>,
  /** A guide or list was refused by the sanity gate. */
  onHeld: (source: string, reason: string) => void,
): SourceNews {
  const said = new Map<string, string>();

  /** A list of thousands that nobody narrowed would fill every slot with whatever comes first. */
  function sayIfWideOpen(): void {
    const channels = sources.channels();
    const groups = wideOpen(channels, config.what);
    const news = groups === null ? '' : `${channels.length}`;
    if (said.get('choice') === news) return;
    said.set('choice', news);
    if (groups !== null)
      log.warn(
        { channels: channels.length, groups: groups.map(({ group }) => group) },
        'so many channels and no choice among them: --groups or --channels says which are meant',
      );
  }

  /** For the report, which asks nobody but the state. */
  function noteHeld(sourceId: string, held: GuideContext['held']): void {
    const refs = new Map(sources.refs().map((ref) => [ref.id, ref]));
    const ref = refs.get(sourceId);
    for (const id of store.all('held').keys())
      if (!refs.has(id) || (id === sourceId && held === null)) store.set('held', id, null);
    if (held === null || !ref) return;
    const { reason, since } = held;
    store.set('held', sourceId, { source: shownLocation(ref), reason, since });
  }

  return {
    sayIfWideOpen,
    moved(sourceId, state, context) {
      const word = state === 'held' ? context.held?.reason : context.problem?.code;
      const news = `${state} ${word ?? ''}`;
      if (said.get(sourceId) === news || state === 'fetching' || state === 'starting') return;
      said.set(sourceId, news);
      noteHeld(sourceId, state === 'held' ? context.held : null);
      const ref = sources.refs().find(({ id }) => id === sourceId);
      const place = ref ? shownLocation(ref) : sourceId;
      if (state === 'held') {
        log.warn(
          { source: place, reason: word, counts: context.held?.counts, lastGood: context.lastGood },
          'held: the last good one stays in use',
        );
        onHeld(place, word ?? '');
      } else if (state === 'backingOff')
        log.warn(
          { source: place, code: word, detail: context.problem?.detail },
          'a source cannot be read; it is tried again',
        );
      else log.info({ source: place, ...context.lastGood }, 'a source is in use');
    },
  };
}
