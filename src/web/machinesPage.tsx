/** The charts at work: drawn, with what lives lit in them, and everything that happens in the order it does. */

import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Charts, Machines, Past } from './answers.js';
import { layoutOf, type Chart } from './chartLayout.js';
import { clockSeconds, duration } from './format.js';
import { openEvents, useLive, useNow } from './live.js';
import { Empty, Loading, Problem } from './parts.js';

interface Logged {
  readonly key: number;
  readonly at: string;
  readonly id: string;
  readonly what: string;
}

const LOG_MAX = 200;
const LIVING_MAX = 100;
const KINDS = ['recording', 'guide', 'scheduler', 'library'];

/** `id`: the recording whose way through its chart is shown first. */
export function MachinesPage({ id }: { readonly id: string }) {
  const charts = useLive<Charts>('api/charts', [], 3_600_000);
  const machines = useLive<Machines>('api/machines', [], 10_000);
  const [kind, setKind] = useState('recording');
  const [chosen, setChosen] = useState<string | null>(id === '' ? null : id);
  const { log, states } = useInspection();
  const now = useNow(5_000);
  const chart = charts.data?.charts.find((each) => each.kind === kind);
  const living = (machines.data?.machines ?? []).map((machine) => ({
    ...machine,
    state: states.get(machine.id) ?? machine.state,
  }));
  const ofKind = living.filter((machine) => machine.kind === kind);
  const shown = ofKind.find(({ id }) => id === chosen);
  const past = useLive<Past>(
    kind === 'recording' && chosen !== null ? `api/recordings/${chosen}/past` : null,
    ['recording'],
    30_000,
  );
  const lit = new Map<string, number>();
  for (const { state } of shown ? [shown] : ofKind) {
    for (const path of ancestors(state)) lit.set(path, (lit.get(path) ?? 0) + 1);
  }
  // What rests is no machine now; its chart shows where it came to.
  const rests = chosen !== null && !shown ? past.data?.steps.at(-1)?.state : null;
  if (rests) {
    lit.clear();
    for (const path of ancestors(rests)) lit.set(path, 1);
  }
  const walked = new Set((past.data?.steps ?? []).flatMap(({ state }) => state ?? []));

  return (
    <>
      <Problem error={charts.error ?? machines.error} />
      <div class="tools">
        <div class="group" role="group" aria-label="Chart">
          {KINDS.map((each) => (
            <button
              type="button"
              key={each}
              aria-pressed={kind === each}
              onClick={() => {
                setKind(each);
                setChosen(null);
              }}
            >
              {each} <span class="dim">{living.filter((machine) => machine.kind === each).length}</span>
            </button>
          ))}
        </div>
      </div>
      {chart ? <ChartDrawing chart={chart} lit={lit} walked={walked} /> : <Loading />}
      <div class="columns">
        <section aria-labelledby="living">
          <h2 id="living">Living</h2>
          {ofKind.length === 0 && <Empty title="None of these lives at this moment." />}
          <ul class="lines">
            {ofKind.slice(0, LIVING_MAX).map((machine) => (
              <li key={machine.id}>
                <button
                  type="button"
                  class="plain"
                  aria-pressed={machine.id === chosen}
                  onClick={() => setChosen(machine.id === chosen ? null : machine.id)}
                >
                  {machine.id}
                </button>
                <code>{machine.state}</code>
                <span class="dim">for {duration(now - Date.parse(machine.since))}</span>
              </li>
            ))}
          </ul>
          {ofKind.length > LIVING_MAX && (
            <p class="dim small">and {ofKind.length - LIVING_MAX} more, counted in the chart</p>
          )}
        </section>
        <section aria-labelledby="happened">
          <h2 id="happened">
            {chosen && kind === 'recording' ? `What happened to ${chosen}` : 'What happens'}
          </h2>
          <ol class="lines log">
            {chosen && kind === 'recording'
              ? (past.data?.steps ?? []).toReversed().map((step, index) => (
                  <li key={`${step.at} ${index}`}>
                    <time dateTime={step.at}>{clockSeconds(step.at)}</time>
                    <code>{step.event}</code>
                    <span class="dim">{step.state}</span>
                  </li>
                ))
              : log.map((each) => (
                  <li key={each.key}>
                    <time dateTime={each.at}>{clockSeconds(each.at)}</time>
                    <span>{each.id}</span>
                    <code>{each.what}</code>
                  </li>
                ))}
          </ol>
        </section>
      </div>
    </>
  );
}

/** `a.b` is in `a` and in `a.b`. */
function ancestors(state: string): string[] {
  const parts = state.split('.');
  return parts.map((_, index) => parts.slice(0, index + 1).join('.'));
}

function ChartDrawing({
  chart,
  lit,
  walked,
}: {
  readonly chart: Chart;
  readonly lit: ReadonlyMap<string, number>;
  readonly walked: ReadonlySet<string>;
}) {
  const layout = useMemo(() => layoutOf(chart), [chart]);
  const active = [...lit].map(([path, count]) => `${path}: ${count}`).join(', ');
  return (
    <div class="chart" tabIndex={0} role="region" aria-label={`Chart of ${chart.kind}`}>
      <svg
        width={layout.width}
        height={layout.height}
        viewBox={`0 0 ${layout.width} ${layout.height}`}
        role="img"
        aria-label={`States of ${chart.kind}; active: ${active || 'none'}`}
      >
        <defs>
          <marker
            id="arrow"
            viewBox="0 0 8 8"
            refX="7"
            refY="4"
            markerWidth="7"
            markerHeight="7"
            orient="auto"
          >
            <path d="M0,0 L8,4 L0,8 Z" />
          </marker>
        </defs>
        {layout.boxes.map((box) => {
          const count = lit.get(box.path) ?? 0;
          const tone = count > 0 ? ' lit' : walked.has(box.path) ? ' walked' : '';
          return (
            <g key={box.path} class={`state${tone}`} data-state={box.path} data-count={count}>
              <rect x={box.x} y={box.y} width={box.width} height={box.height} rx="6" />
              <text x={box.x + 10} y={box.isParent ? box.y + 19 : box.y + box.height / 2 + 4}>
                {box.label}
                {count > 1 ? ` × ${count}` : ''}
              </text>
            </g>
          );
        })}
        {layout.lines.map((line) => (
          <path
            key={`${line.from} ${line.to}`}
            class={`edge${lit.has(line.from) ? ' near' : ''}`}
            d={line.d}
            marker-end="url(#arrow)"
          >
            <title>{`${line.from} → ${line.to}: ${line.events.map(eventName).join(', ')}`}</title>
          </path>
        ))}
      </svg>
    </div>
  );
}

function eventName(event: string): string {
  return event === '' ? 'at once' : event.replace(/^xstate\.done\.actor\./, 'done: ');
}

/** One message; which fields it has depends on its kind. */
interface Told {
  readonly id: string;
  readonly at: string;
  readonly state: string;
  readonly event: { readonly type: string };
}

/** What came since the page was last drawn. */
interface News {
  readonly states: Map<string, string | null>;
  log: Logged[];
}

const DRAW_MS = 150;

/** The charts' own stream of events, while this page is open and no longer. Thousands may come at once: drawn together. */
function useInspection(): { log: readonly Logged[]; states: ReadonlyMap<string, string> } {
  const [seen, setSeen] = useState<{ log: readonly Logged[]; states: ReadonlyMap<string, string> }>({
    log: [],
    states: new Map(),
  });
  const key = useRef(0);
  useEffect(() => {
    let news: News = { states: new Map(), log: [] };
    let due: ReturnType<typeof setTimeout> | undefined;
    const draw = () => {
      due = undefined;
      const { states, log } = news;
      news = { states: new Map(), log: [] };
      setSeen((old) => {
        const next = new Map(old.states);
        for (const [id, state] of states)
          if (state === null) next.delete(id);
          else next.set(id, state);
        return { states: next, log: [...log.toReversed(), ...old.log].slice(0, LOG_MAX) };
      });
    };
    const attach = (source: EventSource) => {
      const hear = (name: string, take: (told: Told) => void) =>
        source.addEventListener(name, (message) => {
          take(JSON.parse((message as MessageEvent<string>).data) as Told);
          due ??= setTimeout(draw, DRAW_MS);
        });
      hear('state', ({ id, state }) => news.states.set(id, state));
      hear('gone', ({ id }) => news.states.set(id, null));
      hear('event', ({ id, at, event }) => {
        key.current += 1;
        news.log = [...news.log.slice(1 - LOG_MAX), { key: key.current, id, at, what: event.type }];
      });
    };
    const close = openEvents('api/inspect', attach);
    return () => {
      close();
      clearTimeout(due);
    };
  }, []);
  return seen;
}
