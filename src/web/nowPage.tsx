/** What records at this moment: picture, progress, bit rate, source, health and gaps as they happen; and what is next. */

import { useRef, useState } from 'preact/hooks';
import { command } from './api.js';
import type { Recording, Recordings, Upstreams } from './answers.js';
import { bitRate, bytes, clock, duration, words } from './format.js';
import { useLive, useNow } from './live.js';
import { Coverage, Empty, Fact, Loading, Problem, Tag } from './parts.js';
import { Player } from './player.js';
import { useSay } from './say.js';

/** More pictures than this at once are a load on whoever looks. */
const PICTURES_MAX = 4;
/** More cards than this nobody reads; the others are counted. */
const CARDS_MAX = 24;
const NEXT_MAX = 8;
/** What is shorter is none. */
const GAP_SECONDS_MIN = 0.5;

export function NowPage() {
  const { data, error } = useLive<Recordings>(
    `api/recordings?state=running&order=oldest&limit=${CARDS_MAX}`,
    ['recording'],
    3_000,
  );
  const next = useLive<Recordings>(
    `api/recordings?state=scheduled&order=oldest&limit=${NEXT_MAX}`,
    ['recording', 'plan'],
    30_000,
  );
  const upstreams = useLive<Upstreams>('api/upstreams', ['upstreams'], 10_000);
  const now = useNow();
  const coming = next.data?.recordings ?? [];
  const waiting = new Map(
    (upstreams.data?.waiting ?? []).map(({ recording, reason }) => [recording, reason]),
  );
  return (
    <>
      <Problem error={error} />
      {data === null && error === null && <Loading />}
      {data !== null && data.recordings.length === 0 && (
        <Empty title="Nothing is being recorded right now.">
          {coming[0] ? (
            <>
              Next: {coming[0].title} at {clock(coming[0].scheduled_for)}.
            </>
          ) : (
            <>
              Nothing is planned either. The <a href="#/guide">guide</a> says why each programme is left out.
            </>
          )}
        </Empty>
      )}
      <div class="cards" aria-live="off">
        {(data?.recordings ?? []).map((recording, index) => (
          <RunningCard key={recording.id} recording={recording} now={now} pictured={index < PICTURES_MAX} />
        ))}
      </div>
      {data !== null && data.total > data.recordings.length && (
        <p class="dim">
          {data.total - data.recordings.length} more are being recorded: the <a href="#/library">library</a>{' '}
          lists them under “Coming”.
        </p>
      )}
      {coming.length > 0 && (
        <section aria-labelledby="next">
          <h2 id="next">Next</h2>
          <ul class="lines">
            {coming.map((recording) => (
              <li key={recording.id}>
                <time dateTime={recording.start}>{clock(recording.start)}</time>
                <a href={`#/recording/${recording.id}`}>{recording.title}</a>
                <span class="dim">{recording.channel_name}</span>
                {waiting.get(recording.id) ? (
                  <span class="tag warn">waits: {words(waiting.get(recording.id) ?? '')}</span>
                ) : (
                  <span class="dim">in {duration(Date.parse(recording.start) - now)}</span>
                )}
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

function RunningCard({
  recording,
  now,
  pictured,
}: {
  readonly recording: Recording;
  readonly now: number;
  readonly pictured: boolean;
}) {
  const [watching, setWatching] = useState(pictured);
  const say = useSay();
  const rate = useRate(recording, now);
  const start = Date.parse(recording.start);
  const stop = Date.parse(recording.stop);
  const has = (recording.bytes_recorded ?? 0) > 0;
  const holes = recording.gaps.filter(({ seconds }) => seconds >= GAP_SECONDS_MIN);
  const gap = holes.at(-1);
  const cancel = () =>
    void say.run(`${recording.title} is cancelled; what was captured is kept.`, () =>
      command(recording.id, 'cancel'),
    );
  return (
    <article class="card" data-id={recording.id} aria-labelledby={`t-${recording.id}`}>
      <div class="picture">
        {watching && has ? (
          <Player id={recording.id} title={recording.title} live finished={false} />
        ) : (
          <button type="button" disabled={!has} onClick={() => setWatching(true)}>
            {has ? 'Show the picture' : 'No picture yet'}
          </button>
        )}
      </div>
      <div class="card-body">
        <div class="card-head">
          <h2 id={`t-${recording.id}`}>
            <a href={`#/recording/${recording.id}`}>{recording.title}</a>
          </h2>
          <Tag word={recording.machine_state} />
        </div>
        <p class="dim">
          {recording.channel_name} · {clock(start)}–{clock(stop)} · {recording.lane}
        </p>
        <Coverage recording={recording} now={now} />
        <p class="small">
          {now < start
            ? `starts in ${duration(start - now)}`
            : now < stop
              ? `${duration(now - start)} of ${duration(stop - start)}, ${duration(stop - now)} left`
              : 'the programme is over; its end is recorded'}
        </p>
        <dl class="facts">
          <Fact name="Bit rate">{rate === null ? '–' : bitRate(rate)}</Fact>
          <Fact name="Size">{bytes(recording.bytes_recorded ?? 0)}</Fact>
          <Fact name="Source">
            <span class="cut">{recording.source_url ?? 'none yet'}</span>
          </Fact>
          <Fact name="Gaps">
            {gap === undefined
              ? 'none'
              : `${holes.length}, ${holes.reduce((sum, each) => sum + each.seconds, 0).toFixed(1)} s (${words(gap.cause)})`}
          </Fact>
        </dl>
        {recording.waiting && <p class="notice warn">Waits for a connection: {words(recording.waiting)}</p>}
        <div class="actions">
          <a class="button" href={`#/recording/${recording.id}`}>
            Details<span class="hidden"> of {recording.title}</span>
          </a>
          <button type="button" onClick={cancel} disabled={recording.machine_state === 'finalizing'}>
            Cancel<span class="hidden"> {recording.title}</span>
          </button>
        </div>
      </div>
    </article>
  );
}

/** From what the last two reports differ by; before there are two, from the whole. */
function useRate(recording: Recording, now: number): number | null {
  const seen = useRef<{ bytes: number; at: number; rate: number | null }>({ bytes: 0, at: 0, rate: null });
  const count = recording.bytes_recorded ?? 0;
  const last = seen.current;
  if (count === 0) return null;
  if (last.bytes === 0) {
    const since = recording.started_at ? (now - Date.parse(recording.started_at)) / 1000 : 0;
    seen.current = { bytes: count, at: now, rate: since > 3 ? count / since : null };
  } else if (count !== last.bytes && now - last.at > 1500) {
    seen.current = {
      bytes: count,
      at: now,
      rate: Math.max(0, (count - last.bytes) / ((now - last.at) / 1000)),
    };
  }
  return seen.current.rate;
}
