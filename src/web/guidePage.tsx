/** Channels by time: what is planned, recording, recorded or left out, and why; want and skip. */

import { Component } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { command, say as sayWord } from './api.js';
import type { Guide, GuideChannel, GuideProgramme, Words } from './answers.js';
import { clock, dayAndClock, duration, words } from './format.js';
import { useLive, useNow } from './live.js';
import { usePages } from './pages.js';
import { Dialog, Empty, Fact, Loading, Problem, Tag } from './parts.js';
import { useSay } from './say.js';
import { VirtualRows } from './virtual.js';

const ROW_PX = 64;
const MINUTE_MS = 60_000;
const HALF_HOUR_MS = 30 * MINUTE_MS;
const HOURS = 6;
const NAME_PX = 132;
const MARK_PX = 110;

interface Chosen {
  readonly channel: GuideChannel;
  readonly programme: GuideProgramme;
}

export function GuidePage() {
  const now = useNow(15_000);
  const [shift, setShift] = useState(0);
  const [word, setWord] = useState('');
  const [scale, setScale] = useState<number | null>(null);
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const from = Math.floor((now - HALF_HOUR_MS) / HALF_HOUR_MS) * HALF_HOUR_MS + shift * HALF_HOUR_MS;
  const to = from + HOURS * 2 * HALF_HOUR_MS;
  const address = `api/guide?from=${from}&to=${to}${word === '' ? '' : `&q=${encodeURIComponent(word)}`}`;
  const { total, error, row, onSpan, reload } = usePages<GuideChannel>(
    address,
    (answer) => ({ rows: (answer as Guide).channels, total: (answer as Guide).total }),
    ['plan', 'recording'],
  );
  const minutePx = scale ?? fittingScale(row(0));
  const width = NAME_PX + ((to - from) / MINUTE_MS) * minutePx;
  // Where it is now, a little to the right of the names; not moved by the clock.
  const leftPx = useMemo(
    () => (shift === 0 ? Math.max(0, ((now - from) / MINUTE_MS) * minutePx - 160) : 0),
    [shift, minutePx, from],
  );
  const at = (time: number) => NAME_PX + ((time - from) / MINUTE_MS) * minutePx;
  const stepMs = markStep(minutePx);
  const marks = Array.from({ length: Math.ceil((to - from) / stepMs) }, (_, index) => from + index * stepMs);

  return (
    <div class="page-full">
      <div class="tools">
        <label>
          <span class="hidden">Find channel or title</span>
          <input
            type="search"
            placeholder="Channel or title"
            value={word}
            onInput={(event) => setWord(event.currentTarget.value)}
          />
        </label>
        <div class="group" role="group" aria-label="Time">
          <button type="button" onClick={() => setShift(shift - 4)}>
            <span aria-hidden="true">←</span>
            <span class="hidden">Two hours back</span>
          </button>
          <button type="button" onClick={() => setShift(0)}>
            Now
          </button>
          <button type="button" onClick={() => setShift(shift + 4)}>
            <span aria-hidden="true">→</span>
            <span class="hidden">Two hours on</span>
          </button>
        </div>
        <div class="group" role="group" aria-label="Scale">
          <button type="button" onClick={() => setScale(Math.max(2, minutePx / 2))} aria-label="Smaller">
            −
          </button>
          <button type="button" onClick={() => setScale(Math.min(64, minutePx * 2))} aria-label="Larger">
            +
          </button>
        </div>
        <span class="dim count">{total === null ? '' : `${total} channels`}</span>
      </div>
      <Problem error={error} />
      {total === null && error === null && <Loading />}
      {total === 0 && (
        <Empty title={word === '' ? 'The guide has nothing for these hours.' : `Nothing matches “${word}”.`}>
          The recorder looks as far ahead as <code>--horizon</code> says.
        </Empty>
      )}
      {total !== null && total > 0 && (
        <VirtualRows
          total={total}
          rowPx={ROW_PX}
          widthPx={width}
          leftPx={leftPx}
          label="Guide: channels by time"
          onSpan={onSpan}
          head={
            <div class="guide-head">
              {marks.map((mark) => (
                <span key={mark} style={{ left: `${at(mark)}px` }}>
                  {clock(mark)}
                </span>
              ))}
            </div>
          }
          render={(index, sight) => (
            <GuideRow
              channel={row(index)}
              from={from}
              to={to}
              minutePx={minutePx}
              left={sight.left}
              right={sight.right}
              now={now}
              onChoose={setChosen}
            />
          )}
        />
      )}
      {chosen && <ProgrammeDialog {...chosen} onClose={() => setChosen(null)} onChange={reload} />}
      <p class="legend small" aria-label="Legend">
        <span class="key planned" /> planned <span class="key live" /> recording <span class="key good" />{' '}
        recorded <span class="key conflict" /> conflict ahead <span class="key bad" /> failed{' '}
        <span class="key skip" /> left out
      </p>
    </div>
  );
}

/** So far apart that each can be read. */
function markStep(minutePx: number): number {
  const minutes = [1, 2, 5, 10, 15, 30, 60, 120].find((each) => each * minutePx >= MARK_PX) ?? 120;
  return minutes * MINUTE_MS;
}

interface RowWish {
  readonly channel: GuideChannel | undefined;
  readonly from: number;
  readonly to: number;
  readonly minutePx: number;
  /** What can be seen from left to right. */
  readonly left: number;
  readonly right: number;
  readonly now: number;
  readonly onChoose: (chosen: Chosen) => void;
}

/** Drawn again only where something of it is different: whoever scrolls moves the others as they are. */
class GuideRow extends Component<RowWish> {
  override shouldComponentUpdate(next: RowWish): boolean {
    return Object.entries(next).some(([name, value]) => this.props[name as keyof RowWish] !== value);
  }

  override render({ channel, from, to, minutePx, left, right, now, onChoose }: RowWish) {
    if (!channel) return <div class="guide-name">…</div>;
    const at = (time: number) => NAME_PX + ((time - from) / MINUTE_MS) * minutePx;
    return (
      <>
        <div class="guide-name" style={{ width: `${NAME_PX - 8}px` }}>
          <strong>{channel.channel_name}</strong>
          <span class="dim">{channel.guide_number}</span>
        </div>
        {now > from && now < to && <i class="guide-now" style={{ left: `${at(now)}px` }} />}
        {channel.programmes.map((programme) => {
          const begin = Math.max(NAME_PX, at(Date.parse(programme.start)));
          const end = Math.min(at(to), at(Date.parse(programme.stop)));
          if (end < left || begin > right || end <= NAME_PX) return null;
          const word = standing(programme);
          return (
            <button
              type="button"
              key={`${programme.capsule_id} ${programme.start}`}
              class={`programme ${toneOf(programme)}`}
              style={{ left: `${begin}px`, width: `${Math.max(8, end - begin - 2)}px` }}
              onClick={() => onChoose({ channel, programme })}
              title={`${programme.title}, ${clock(programme.start)}–${clock(programme.stop)}: ${word}`}
            >
              <span class="programme-title">{programme.title}</span>
              <span class="programme-time">
                {clock(programme.start)} <span class="hidden">{word}</span>
              </span>
            </button>
          );
        })}
      </>
    );
  }
}

/** What is, or will become of it, in words. */
function standing({ action, conflict, recording }: GuideProgramme): string {
  if (recording && recording.machine_state !== 'scheduled') return words(recording.machine_state);
  if (conflict) return action === 'skip' ? 'will be lost: no connection' : 'will be cut short: no connection';
  return recording ? 'planned' : words(action);
}

/** So that a usual programme of this guide can be read. */
function fittingScale(channel: GuideChannel | undefined): number {
  const lengths = (channel?.programmes ?? [])
    .map(({ start, stop }) => (Date.parse(stop) - Date.parse(start)) / MINUTE_MS)
    .toSorted((a, b) => a - b);
  const usual = lengths[Math.floor(lengths.length / 2)] ?? 30;
  return usual <= 5 ? 64 : usual <= 15 ? 16 : 5;
}

function toneOf({ action, conflict, recording }: GuideProgramme): string {
  switch (recording?.machine_state) {
    case undefined:
      return conflict ? 'planned conflict' : action === 'record' ? 'planned' : 'skip';
    case 'scheduled':
      return conflict || recording.waiting ? 'planned conflict' : 'planned';
    case 'published':
    case 'finalizing':
      return 'good';
    case 'failed':
    case 'quarantined':
      return 'bad';
    case 'cancelled':
    case 'expired':
      return 'skip';
    default:
      return 'live';
  }
}

function ProgrammeDialog({
  channel,
  programme,
  onClose,
  onChange,
}: Chosen & { readonly onClose: () => void; readonly onChange: () => void }) {
  const say = useSay();
  const { data } = useLive<Words>('api/words', []);
  const { recording, title, reason } = programme;
  const act = (done: string, task: () => Promise<unknown>) => {
    void say.run(done, async () => {
      await task();
      onChange();
    });
    onClose();
  };
  const state = recording?.machine_state ?? programme.action;
  return (
    <Dialog title={title} onClose={onClose}>
      <dl class="facts">
        <Fact name="Channel">{channel.channel_name}</Fact>
        <Fact name="Time">
          {dayAndClock(programme.start)}–{clock(programme.stop)}
        </Fact>
        <Fact name="Lane">{programme.lane}</Fact>
        <Fact name="State">
          <Tag word={state === 'record' ? 'scheduled' : state} />
        </Fact>
      </dl>
      <p>
        <strong>Why:</strong> {data?.plan_reasons[reason] ?? words(reason)} <code>{reason}</code>
      </p>
      {programme.conflict && <Ahead conflict={programme.conflict} />}
      <div class="actions">
        {programme.action === 'skip' && (
          <button
            type="button"
            class="primary"
            onClick={() => act(`${title} will be recorded.`, () => sayWord(programme.capsule_id, 'want'))}
          >
            Record it
          </button>
        )}
        {programme.action === 'record' && (!recording || recording.machine_state === 'scheduled') && (
          <button
            type="button"
            onClick={() => act(`${title} will not be recorded.`, () => sayWord(programme.capsule_id, 'skip'))}
          >
            Skip it
          </button>
        )}
        {recording && ['spooling', 'retrying', 'failover'].includes(recording.machine_state) && (
          <button
            type="button"
            onClick={() => act(`${title} is cancelled.`, () => command(recording.id, 'cancel'))}
          >
            Cancel
          </button>
        )}
        {recording && (
          <a class="button" href={`#/recording/${recording.id}`} onClick={onClose}>
            Recording
          </a>
        )}
      </div>
    </Dialog>
  );
}

/** Who will have the connections, what that costs, and where else the same can be had. */
function Ahead({ conflict }: { readonly conflict: NonNullable<GuideProgramme['conflict']> }) {
  const { reason, from, lost_seconds: lost, loses_to: winners, again } = conflict;
  return (
    <div class="notice warn conflict-ahead">
      <p>
        <strong>Loses {duration(lost * 1000)}</strong> from {clock(from)}:{' '}
        {reason === 'slots_full' ? 'all connections are taken' : 'the account has no connection left'} by{' '}
        {winners.map(({ title, channel_name: channel }) => `${title} (${channel})`).join(', ')}.
      </p>
      <p>
        {again
          ? `The same is on again ${dayAndClock(again.start)} on ${again.channel_name}.`
          : 'The guide shows it no second time.'}
      </p>
    </div>
  );
}
