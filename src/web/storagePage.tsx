/** Lanes against their budgets, disks against their floors, and where it is going. */

import type { Storage } from './answers.js';
import { bytes, clock, duration } from './format.js';
import { useLive } from './live.js';
import { Bar, Loading, Problem } from './parts.js';

export function StoragePage() {
  const { data, error } = useLive<Storage>('api/storage', ['recording'], 15_000);
  if (data === null) return error ? <Problem error={error} /> : <Loading />;
  const all = data.lanes.reduce((sum, { used_bytes: used }) => sum + used, 0);
  return (
    <>
      <Problem error={error} />
      <section aria-labelledby="lanes">
        <h2 id="lanes">Lanes</h2>
        <div class="cards">
          {data.lanes.map((lane) => {
            const { used_bytes: used, budget_bytes: budget } = lane;
            const label =
              budget === null ? `${bytes(used)}, no budget` : `${bytes(used)} of ${bytes(budget)}`;
            return (
              <article class="card plain" key={lane.lane}>
                <div class="card-head">
                  <h3>{lane.lane}</h3>
                  <span>{label}</span>
                </div>
                <Bar
                  value={used}
                  max={budget ?? Math.max(all, 1)}
                  limited={budget !== null}
                  label={`${lane.lane}: ${label}`}
                />
                <p class="dim small">
                  {lane.recordings} {lane.recordings === 1 ? 'recording' : 'recordings'}, kept{' '}
                  {lane.keep_seconds > 0 ? duration(lane.keep_seconds * 1000) : 'for ever'};{' '}
                  {bytes(lane.spool_bytes)} under way, {bytes(lane.kept_bytes)} kept for good
                </p>
              </article>
            );
          })}
        </div>
      </section>
      <section aria-labelledby="disks">
        <h2 id="disks">Disks</h2>
        <div class="cards">
          {data.disks.map((disk) => {
            const total = disk.total_bytes ?? 0;
            const free = disk.free_bytes ?? 0;
            const floor = disk.floor_bytes ?? 0;
            return (
              <article class="card plain" key={disk.path}>
                <div class="card-head">
                  <h3>{disk.role}</h3>
                  <span>{disk.ready ? `${bytes(free)} free` : 'not there'}</span>
                </div>
                {disk.ready ? (
                  <Bar
                    value={total - free}
                    max={total}
                    mark={total > 0 ? 1 - floor / total : 1}
                    label={`${bytes(free)} free of ${bytes(total)}`}
                  />
                ) : (
                  <p class="notice bad">Its marker cannot be read: nothing is written or removed there.</p>
                )}
                <p class="dim small">
                  <span class="cut">{disk.path}</span> {bytes(total)}; below {bytes(floor)} free nothing new
                  starts
                </p>
              </article>
            );
          })}
        </div>
      </section>
      <section aria-labelledby="forecast">
        <h2 id="forecast">The next 24 hours</h2>
        <Forecast {...data.forecast} />
      </section>
    </>
  );
}

const WIDTH = 720;
const HEIGHT = 180;

function Forecast({ points, bytes_per_second: rate }: Storage['forecast']) {
  const most = Math.max(1, ...points.map((point) => point.bytes));
  const x = (index: number) => (index / Math.max(1, points.length - 1)) * WIDTH;
  const y = (count: number) => HEIGHT - (count / most) * (HEIGHT - 20);
  const line = points
    .map((point, index) => `${index === 0 ? 'M' : 'L'}${x(index)},${y(point.bytes)}`)
    .join(' ');
  const last = points.at(-1);
  const label = `Recordings take ${bytes(points[0]?.bytes ?? 0)} now, ${bytes(most)} at most, ${bytes(last?.bytes ?? 0)} in a day`;
  return (
    <figure class="forecast">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT + 20}`} role="img" aria-label={label}>
        <path class="area" d={`${line} L${WIDTH},${HEIGHT} L0,${HEIGHT} Z`} />
        <path class="line" d={line} />
        {points
          .map((point, index) => ({ point, index }))
          .filter(({ index }) => index % 6 === 0)
          .map(({ point, index }) => (
            <text
              key={point.at}
              x={x(index)}
              y={HEIGHT + 15}
              text-anchor={index === 0 ? 'start' : index === points.length - 1 ? 'end' : 'middle'}
            >
              {clock(point.at)}
            </text>
          ))}
      </svg>
      <figcaption class="dim small">
        {label}. {rate > 0 ? `A second takes ${bytes(rate)}.` : 'How much a second takes is not known yet.'}
      </figcaption>
    </figure>
  );
}
