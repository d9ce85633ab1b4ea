/** What was recorded, by lane: play, coverage with its gaps, keep, delete. */

import { useState } from 'preact/hooks';
import { command } from './api.js';
import type { Recording, Recordings, Storage } from './answers.js';
import { bytes, dayAndClock, duration, percent, words } from './format.js';
import { useLive, useNow } from './live.js';
import { usePages } from './pages.js';
import { Coverage, Dialog, Empty, Loading, Problem, Tag } from './parts.js';
import { useSay } from './say.js';
import { VirtualRows } from './virtual.js';

const ROW_PX = 84;
const STATES = [
  ['completed', 'Recorded'],
  ['failed', 'Failed'],
  ['active', 'Coming'],
] as const;

export function LibraryPage() {
  const now = useNow(30_000);
  const [state, setState] = useState<string>('completed');
  const [lane, setLane] = useState('');
  const [word, setWord] = useState('');
  const lanes = useLive<Storage>('api/storage', [], 300_000).data?.lanes ?? [];
  const search = new URLSearchParams({ state, ...(lane && { lane }), ...(word && { q: word }) });
  const { total, error, row, onSpan, reload } = usePages<Recording>(
    `api/recordings?${search.toString()}`,
    (answer) => ({ rows: (answer as Recordings).recordings, total: (answer as Recordings).total }),
    ['recording'],
  );
  return (
    <div class="page-full">
      <div class="tools">
        <div class="group" role="group" aria-label="Which">
          {STATES.map(([key, name]) => (
            <button type="button" key={key} aria-pressed={state === key} onClick={() => setState(key)}>
              {name}
            </button>
          ))}
        </div>
        <label>
          <span class="hidden">Lane</span>
          <select value={lane} onChange={(event) => setLane(event.currentTarget.value)}>
            {['', ...lanes.map((each) => each.lane)].map((each) => (
              <option key={each} value={each}>
                {each === '' ? 'All lanes' : each}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span class="hidden">Find title or channel</span>
          <input
            type="search"
            placeholder="Title or channel"
            value={word}
            onInput={(event) => setWord(event.currentTarget.value)}
          />
        </label>
        <span class="dim count">{total === null ? '' : `${total} recordings`}</span>
      </div>
      <Problem error={error} />
      {total === null && error === null && <Loading />}
      {total === 0 && (
        <Empty title={word || lane ? 'Nothing fits.' : 'Nothing here yet.'}>
          {state === 'completed' && 'Finished recordings appear here as soon as their programme is over.'}
        </Empty>
      )}
      {total !== null && total > 0 && (
        <VirtualRows
          total={total}
          rowPx={ROW_PX}
          label="Recordings, newest first"
          onSpan={onSpan}
          render={(index) => <RecordingRow recording={row(index)} now={now} onChange={reload} />}
        />
      )}
    </div>
  );
}

function RecordingRow({
  recording,
  now,
  onChange,
}: {
  readonly recording: Recording | undefined;
  readonly now: number;
  readonly onChange: () => void;
}) {
  if (!recording) return <div class="item">…</div>;
  const length = Date.parse(recording.stop) - Date.parse(recording.start);
  return (
    <article class="item" aria-label={recording.title}>
      <div class="item-text">
        <a class="item-title" href={`#/recording/${recording.id}`}>
          {recording.title}
        </a>
        <p class="dim small cut">
          {recording.channel_name} · {dayAndClock(recording.start)} · {duration(length)}
          {recording.bytes_recorded ? ` · ${bytes(recording.bytes_recorded)}` : ''}
        </p>
      </div>
      <div class="item-state">
        <Tag word={recording.outcome ?? recording.machine_state} />
        <Coverage recording={recording} now={now} />
        <span class="small dim">
          {recording.coverage === undefined ? '' : percent(recording.coverage)}
          {recording.outcome_reason ? ` ${words(recording.outcome_reason)}` : ''}
        </span>
      </div>
      <RecordingActions recording={recording} onChange={onChange} />
    </article>
  );
}

export function RecordingActions({
  recording,
  onChange,
}: {
  readonly recording: Recording;
  readonly onChange: () => void;
}) {
  const say = useSay();
  const [asked, setAsked] = useState(false);
  const { id, title, keep, machine_state: state } = recording;
  const act = (done: string, verb: Parameters<typeof command>[1]) =>
    void say.run(done, async () => {
      await command(id, verb);
      onChange();
    });
  const running = ['scheduled', 'spooling', 'retrying', 'failover'].includes(state);
  return (
    <div class="actions">
      {running && (
        <button type="button" onClick={() => act(`${title} is cancelled.`, 'cancel')}>
          Cancel<span class="hidden"> {title}</span>
        </button>
      )}
      {(state === 'failed' || state === 'cancelled') && Date.parse(recording.stop) > Date.now() && (
        <button type="button" onClick={() => act(`${title} is tried again.`, 'retry')}>
          Retry<span class="hidden"> {title}</span>
        </button>
      )}
      <button
        type="button"
        aria-pressed={keep}
        onClick={() =>
          keep ? act(`${title} goes when its time is over.`, 'unkeep') : act(`${title} is kept.`, 'keep')
        }
      >
        {keep ? 'Kept' : 'Keep'}
        <span class="hidden"> {title}</span>
      </button>
      <button type="button" class="danger" onClick={() => setAsked(true)}>
        Delete<span class="hidden"> {title}</span>
      </button>
      {asked && (
        <Dialog title={`Delete “${title}”?`} onClose={() => setAsked(false)}>
          <p>Its media is removed for good, and it is not recorded again.</p>
          <div class="actions">
            <button
              type="button"
              class="danger"
              onClick={() => {
                setAsked(false);
                act(`${title} is deleted.`, 'delete');
              }}
            >
              Delete it
            </button>
            <button type="button" onClick={() => setAsked(false)}>
              Keep it
            </button>
          </div>
        </Dialog>
      )}
    </div>
  );
}
