/** Where it comes from: sources, accounts with their limits, connections, hosts and what is held against them. */

import type { ComponentChildren } from 'preact';
import type { Sources, Upstreams } from './answers.js';
import { clockSeconds, dayAndClock, words } from './format.js';
import { useLive } from './live.js';
import { Empty, Loading, Problem, Tag } from './parts.js';

export function UpstreamsPage() {
  const { data, error } = useLive<Upstreams>('api/upstreams', ['upstreams', 'recording'], 5_000);
  const sources = useLive<Sources>('api/sources', ['source'], 15_000);
  if (data === null) return error ? <Problem error={error} /> : <Loading />;
  const { slots, accounts, hosts, connections, waiting } = data;
  return (
    <>
      <Problem error={error ?? sources.error} />
      <p>
        <strong>{slots.used}</strong> of {slots.limit === 0 ? 'unlimited' : slots.limit} connections in use
        {slots.refused_for ? (
          <span class="notice warn"> Nothing new starts: {words(slots.refused_for)}</span>
        ) : (
          '.'
        )}
      </p>
      <Table
        title="Sources"
        head={['Source', 'State', 'Channels', 'Programmes', 'Taken']}
        rows={(sources.data?.sources ?? []).map((source) => [
          <span class="cut">{source.location}</span>,
          <>
            <Tag word={source.problem ? 'failed' : source.held ? 'partial' : source.state} />{' '}
            {source.held && words(source.held.reason)}
            {source.problem && <code>{source.problem.code}</code>}
          </>,
          source.channels,
          source.programmes,
          source.accepted_at ? dayAndClock(source.accepted_at) : '–',
        ])}
        empty="No list and no guide is configured."
      />
      <Table
        title="Accounts"
        head={['Account', 'Open', 'Cooling', 'Limit', 'Reserved']}
        rows={accounts.map((account) => [
          account.account,
          account.open,
          account.cooling,
          account.limit === null
            ? 'none known'
            : `${account.limit}${account.learned ? `, learned ${clockSeconds(account.learned.at)}` : ''}`,
          account.reserve,
        ])}
        empty="The lists name no address."
      />
      <Table
        title="Connections"
        head={['Upstream', 'State', 'Recordings', 'Since']}
        rows={connections.map((each) => [
          <span class="cut">{each.upstream}</span>,
          each.state,
          each.recordings.map((id) => (
            <a key={id} href={`#/recording/${id}`}>
              {id}{' '}
            </a>
          )),
          clockSeconds(each.since),
        ])}
        empty="None is open."
      />
      <Table
        title="Waiting"
        head={['Recording', 'Why', 'Priority']}
        rows={waiting.map((each) => [
          <a href={`#/recording/${each.recording}`}>{each.recording}</a>,
          words(each.reason ?? '–'),
          each.priority,
        ])}
        empty="Nobody waits for a connection."
      />
      <Table
        title="Hosts with failures"
        head={['Host', 'Penalty', 'Failures', 'Last cause', 'Last']}
        rows={hosts.map((host) => [
          host.host,
          host.penalty.toFixed(2),
          host.failures,
          words(host.last_cause),
          dayAndClock(host.last_at),
        ])}
        empty="No host has failed lately."
      />
    </>
  );
}

function Table({
  title,
  head,
  rows,
  empty,
}: {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly ComponentChildren[])[];
  readonly empty: string;
}) {
  const id = `table-${title.toLowerCase().replaceAll(' ', '-')}`;
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {rows.length === 0 ? (
        <Empty title={empty} />
      ) : (
        <div class="table" tabIndex={0} role="region" aria-labelledby={id}>
          <table>
            <thead>
              <tr>
                {head.map((each) => (
                  <th key={each} scope="col">
                    {each}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((cells, index) => (
                <tr key={index}>
                  {cells.map((cell, column) => (
                    <td key={column}>{cell}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
