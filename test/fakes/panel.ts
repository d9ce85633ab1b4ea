/**
 * What an Xtream panel answers, as the ones in the field do (PROTOCOLS §4.3): numbers as text, booleans as numbers, a
 * 200 for a refused login, a list with holes as an object. What it says of the account need not be true.
 */

export interface FakeAccount {
  readonly user: string;
  readonly pass: string;
  /** As the panel says them, of any type. */
  readonly maxConnections?: unknown;
  readonly status?: string;
  readonly timezone?: string;
  /** Connections that others have open, added to those that are. */
  readonly othersOpen?: number;
  /** Formats of streams; `ts` alone where nothing is said. */
  readonly formats?: readonly string[];
}

export interface FakePanelWorld {
  readonly channels: readonly {
    readonly id: string;
    readonly name: string;
    readonly tvgId?: string;
    readonly group?: string;
  }[];
  readonly openStreams: number;
  readonly guide: () => string;
}

export interface FakeAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

export function panelAnswer(url: URL, account: FakeAccount, world: FakePanelWorld): FakeAnswer {
  const login = [url.searchParams.get('username'), url.searchParams.get('password')];
  if (login[0] !== account.user || login[1] !== account.pass) return json({ user_info: { auth: 0 } });
  switch (url.pathname) {
    case '/get.php':
      return { status: 200, type: 'audio/x-mpegurl', body: listOf(url, account, world) };
    case '/xmltv.php':
      return { status: 200, type: 'application/xml', body: world.guide() };
    default:
      return apiAnswer(url.searchParams.get('action'), account, world);
  }
}

function apiAnswer(action: string | null, account: FakeAccount, world: FakePanelWorld): FakeAnswer {
  const groups = [...new Set(world.channels.map(({ group = 'All' }) => group))];
  switch (action) {
    case null:
      return json({
        user_info: {
          username: account.user,
          password: account.pass,
          auth: 1,
          status: account.status ?? 'Active',
          exp_date: '1893456000',
          is_trial: '0',
          active_cons: String(world.openStreams + (account.othersOpen ?? 0)),
          max_connections: account.maxConnections ?? '1',
          allowed_output_formats: account.formats ?? ['ts'],
        },
        server_info: { url: url(account), port: '80', timezone: account.timezone ?? 'UTC' },
      });
    case 'get_live_categories':
      return json(
        groups.map((name, i) => ({ category_id: String(i + 1), category_name: name, parent_id: 0 })),
      );
    case 'get_live_streams':
      return json(
        Object.fromEntries(
          world.channels.map(({ id, name, tvgId = id, group = 'All' }, i) => [
            String(i + 1),
            {
              num: String(i + 1),
              name,
              stream_type: 'live',
              stream_id: id,
              epg_channel_id: tvgId,
              category_id: String(groups.indexOf(group) + 1),
              is_adult: '0',
              tv_archive: '0',
              tv_archive_duration: '',
            },
          ]),
        ),
      );
    default:
      return json([]);
  }
}

function url({ user }: FakeAccount): string {
  return `${user}.panel.example`;
}

function listOf({ origin }: URL, { user, pass }: FakeAccount, world: FakePanelWorld): string {
  const lines = world.channels.map(
    ({ id, name, tvgId = id, group = 'All' }) =>
      `#EXTINF:-1 tvg-id="${tvgId}" group-title="${group}",${name}\n${origin}/live/${user}/${pass}/${id}.ts\n`,
  );
  return `#EXTM3U\n${lines.join('')}`;
}

function json(value: unknown): FakeAnswer {
  return { status: 200, type: 'application/json', body: JSON.stringify(value) };
}
