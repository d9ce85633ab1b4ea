/** One recording: to be watched, with everything that is known of it, and its past event by event. */

import { useState } from 'preact/hooks';
import { withToken } from './api.js';
import type { Past, RecordingDetail } from './answers.js';
import { bytes, clockSeconds, dayAndClock, duration, words } from './format.js';
import { RecordingActions } from './libraryPage.js';
import { useLive, useNow } from './live.js';
import { Coverage, Fact, Loading, Problem, Tag } from './parts.js';
import { Player } from './player.js';

const ENDED: ReadonlySet<string> = new Set(['published', 'failed', 'cancelled', 'expired', 'quarantined']);

export function RecordingPage({ id }: { readonly id: string }) {
  const { data, error, reload } = useLive<RecordingDetail>(`api/recordings/${id}`, ['recording'], 5_000);
  const past = useLive<Past>(`api/recordings/${id}/past`, ['recording'], 30_000);
  const now = useNow();
  const [watching, setWatching] = useState(false);
  if (data === null) return error ? <Problem error={error} /> : <Loading />;
  const finished = ENDED.has(data.machine_state);
  const media = data.media_path;
  return (
    <div class="recording">
      <Problem error={error} />
      <div class="card-head">
        <h2>{data.title}</h2>
        <Tag word={data.outcome ?? data.machine_state} />
      </div>
      <p class="dim">
        {data.channel_name} · {dayAndClock(data.start)} ·{' '}
        {duration(Date.parse(data.stop) - Date.parse(data.start))}
      </p>
      {data.desc && <p>{data.desc}</p>}
      {watching && media !== null ? (
        <Player id={id} title={data.title} live={false} finished={finished} />
      ) : (
        <div class="actions">
          <button type="button" class="primary" disabled={media === null} onClick={() => setWatching(true)}>
            {media === null ? 'Nothing to play yet' : finished ? 'Play' : 'Play from the start'}
          </button>
          {media !== null && (
            <a
              class="button"
              href={withToken(`media/${id}`)}
              download={`${data.title}.${(data.output_path ?? '').endsWith('.mp4') ? 'mp4' : 'ts'}`}
            >
              Download
            </a>
          )}
        </div>
      )}
      <Coverage recording={data} now={now} />
      <RecordingActions recording={data} onChange={reload} />
      <dl class="facts wide">
        <Fact name="State">{data.path}</Fact>
        <Fact name="Recorded because">{words(data.reason ?? '')}</Fact>
        <Fact name="Size">{bytes(data.bytes_recorded ?? 0)}</Fact>
        <Fact name="Attempts">{data.attempt ?? 0}</Fact>
        <Fact name="Changes of source">{data.capture_upstream_switches ?? 0}</Fact>
        <Fact name="Expires">{data.keep ? 'kept' : dayAndClock(data.expires_at)}</Fact>
        {data.outcome_reason && <Fact name="Outcome because">{words(data.outcome_reason)}</Fact>}
        {data.waiting && <Fact name="Waits for">{words(data.waiting)}</Fact>}
        {data.last_fault && <Fact name="Last fault">{words(data.last_fault)}</Fact>}
      </dl>
      {data.gaps.length > 0 && (
        <section aria-labelledby="gaps">
          <h3 id="gaps">Gaps</h3>
          <ul class="lines">
            {data.gaps.map((gap) => (
              <li key={gap.from}>
                <time dateTime={gap.from}>{clockSeconds(gap.from)}</time>
                <span>{gap.seconds} s</span>
                <span class="dim">{words(gap.cause)}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
      {data.stretches.length > 0 && (
        <section aria-labelledby="pieces">
          <h3 id="pieces">Pieces</h3>
          <ul class="lines">
            {data.stretches.map((piece) => (
              <li key={piece.from}>
                <time dateTime={piece.from}>{clockSeconds(piece.from)}</time>
                <span>{duration(Date.parse(piece.to) - Date.parse(piece.from))}</span>
                <span>{bytes(piece.bytes)}</span>
                <span class="dim cut">{piece.source}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
      <section aria-labelledby="past">
        <h3 id="past">What happened</h3>
        <p>
          <a href={`#/machines/${id}`}>Its way through the chart</a>
        </p>
        <Problem error={past.error} />
        <ol class="lines log">
          {(past.data?.steps ?? []).toReversed().map((step, index) => (
            <li key={`${step.at} ${index}`}>
              <time dateTime={step.at}>{clockSeconds(step.at)}</time>
              <code>{step.event}</code>
              <span class="dim">{step.state}</span>
            </li>
          ))}
        </ol>
      </section>
    </div>
  );
}
