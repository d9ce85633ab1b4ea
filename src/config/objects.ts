/**
 * The lists of objects in a config file: accounts of providers, media servers, of which there may be several of a kind,
 * and webhooks. Each field is read as an option of that kind would be; a secret may stand in a file of its own (`token-file`).
 */
import { NOTICE_EVENTS, type NoticeEvent } from '../domain/notice.js';
import {
  SERVER_KINDS,
  type ServerConfig,
  type ServerKind,
  WEBHOOK_FORMS,
  type WebhookConfig,
  type WebhookForm,
} from './config.js';
import type { FileSettings, Plain, Problem, Setting } from './file.js';
import { schemaOf, type ValueOfKind } from './kinds.js';
import type { Kind, OptionRow } from './optionRow.js';
import type { LaneMap } from '../domain/quantity.js';
import { suggestion } from './suggest.js';

/** What an account allows, by its name in lower case; only what was said. */
export interface AccountLimits {
  readonly max: LaneMap;
  readonly reserve: LaneMap;
}

export interface ObjectLists {
  readonly providerAccounts: AccountLimits;
  readonly mediaServers: readonly ServerConfig[];
  readonly webhooks: readonly WebhookConfig[];
}

export interface ObjectDoors {
  /** What relative paths are relative to. */
  readonly base: string;
  /** Trimmed. Rejects where it cannot be read. */
  readonly readSecret: (path: string) => Promise<string>;
}

/** One object of a list, its fields as texts. */
interface ObjectSetting {
  readonly origin: string;
  readonly fields: ReadonlyMap<string, Setting>;
}

type Shape = Readonly<Record<string, Kind>>;

const ACCOUNT = { account: 'text', max: 'count', reserve: 'count' } as const satisfies Shape;

const SERVER = {
  kind: 'word',
  name: 'text',
  url: 'serverUrl',
  token: 'secret',
  'token-file': 'path',
  'path-map': 'pathMap',
} as const satisfies Shape;

const WEBHOOK = {
  name: 'text',
  url: 'url',
  form: 'word',
  secret: 'secret',
  'secret-file': 'path',
  token: 'secret',
  'token-file': 'path',
  events: 'list',
} as const satisfies Shape;

const WORDS: Readonly<Record<string, readonly string[]>> = { kind: SERVER_KINDS, form: WEBHOOK_FORMS };

export async function readObjects(
  lists: FileSettings['lists'],
  doors: ObjectDoors,
): Promise<{ readonly lists: ObjectLists; readonly problems: readonly Problem[] }> {
  const problems: Problem[] = [];
  const mediaServers: ServerConfig[] = [];
  for (const object of objectsIn(lists, 'media-servers', problems)) {
    const server = await serverOf(object, doors, problems, mediaServers);
    if (server) mediaServers.push(server);
  }
  const webhooks: WebhookConfig[] = [];
  for (const object of objectsIn(lists, 'webhooks', problems)) {
    const webhook = await webhookOf(object, doors, problems, webhooks.length + 1);
    if (webhook) webhooks.push(webhook);
  }
  const providerAccounts = await accountsOf(lists, doors, problems);
  return { lists: { providerAccounts, mediaServers, webhooks }, problems };
}

/** A single object stands for a list of one. */
function objectsIn(lists: FileSettings['lists'], key: string, problems: Problem[]): ObjectSetting[] {
  const setting = lists.get(key);
  if (!setting || setting.value === null) return [];
  const items: readonly Plain[] = isList(setting.value) ? setting.value : [setting.value];
  return items.flatMap((item, index) => {
    const origin = `${setting.origin}[${index}]`;
    if (item === null || typeof item === 'string' || isList(item)) {
      problems.push({ origin, message: 'is no object, a map of its settings' });
      return [];
    }
    const fields = Object.entries(item).map(
      ([name, value]) => [name, { texts: textsOf(value), origin: `${origin}.${name}` }] as const,
    );
    return [{ origin, fields: new Map(fields.filter(([, { texts }]) => texts.length > 0)) }];
  });
}

function textsOf(value: Plain): string[] {
  if (value === null) return [];
  if (typeof value === 'string') return [value];
  if (isList(value)) return value.flatMap(textsOf);
  return Object.entries(value).map(([key, each]) => `${key}=${textsOf(each).join(',')}`);
}

function isList(value: Plain): value is readonly Plain[] {
  return Array.isArray(value);
}

/** `account` as `--provider-max` names it. */
async function accountsOf(
  lists: FileSettings['lists'],
  doors: ObjectDoors,
  problems: Problem[],
): Promise<AccountLimits> {
  const max: Record<string, number> = {};
  const reserve: Record<string, number> = {};
  const seen = new Set<string>();
  for (const object of objectsIn(lists, 'provider-accounts', problems)) {
    const field = await readerOf(object, ACCOUNT, doors, problems);
    const account = field('account')?.trim().toLowerCase() ?? '';
    if (account === '') {
      problems.push({ origin: object.origin, message: 'needs account: USER@HOST, or HOST:PORT' });
      continue;
    }
    if (seen.has(account)) problems.push({ origin: object.origin, message: `"${account}" is there twice` });
    seen.add(account);
    const limits = { max: field('max'), reserve: field('reserve') };
    if (limits.max !== undefined) max[account] = limits.max;
    if (limits.reserve !== undefined) reserve[account] = limits.reserve;
  }
  return { max, reserve };
}

async function serverOf(
  object: ObjectSetting,
  doors: ObjectDoors,
  problems: Problem[],
  before: readonly ServerConfig[],
): Promise<ServerConfig | null> {
  const field = await readerOf(object, SERVER, doors, problems);
  const kind = field('kind') as ServerKind | undefined;
  const url = field('url');
  const token = field('token');
  if (kind === undefined || url === undefined || token === undefined) {
    const missing = ['kind', 'url', 'token'].filter(
      (name) => !object.fields.has(name) && field(name as 'kind') === undefined,
    );
    if (missing.length > 0) problems.push({ origin: object.origin, message: `needs ${missing.join(', ')}` });
    return null;
  }
  const count = before.filter((each) => each.kind === kind).length + 1;
  const name = (field('name') ?? `${kind}-${count}`).toLowerCase();
  return { name, kind, url, token, pathMap: field('path-map') ?? [] };
}

async function webhookOf(
  object: ObjectSetting,
  doors: ObjectDoors,
  problems: Problem[],
  number: number,
): Promise<WebhookConfig | null> {
  const field = await readerOf(object, WEBHOOK, doors, problems);
  const url = field('url');
  const events = (field('events') ?? []).map((event) => event.toLowerCase().replaceAll('-', '_'));
  for (const event of events)
    if (!(NOTICE_EVENTS as readonly string[]).includes(event))
      problems.push({
        origin: `${object.origin}.events`,
        message: `"${event}" is unknown here: ${NOTICE_EVENTS.join(', ')}${suggestion(event, NOTICE_EVENTS)}`,
      });
  if (url === undefined) {
    if (!object.fields.has('url')) problems.push({ origin: object.origin, message: 'needs url' });
    return null;
  }
  return {
    name: (field('name') ?? `webhook-${number}`).toLowerCase(),
    url,
    form: (field('form') ?? 'json') as WebhookForm,
    secret: field('secret') ?? null,
    token: field('token') ?? null,
    events: events as NoticeEvent[],
  };
}

/** The fields of one object by name; what is wrong with them goes to the problems, without the secret itself. */
async function readerOf<S extends Shape>(
  object: ObjectSetting,
  shape: S,
  doors: ObjectDoors,
  problems: Problem[],
): Promise<<N extends keyof S & string>(name: N) => ValueOfKind[S[N]] | undefined> {
  const values = new Map<string, unknown>();
  for (const [name, { texts, origin }] of object.fields) {
    const kind = shape[name];
    if (kind === undefined) {
      problems.push({ origin, message: `unknown key${suggestion(name, Object.keys(shape))}` });
      continue;
    }
    const row: OptionRow = {
      name,
      kind,
      group: 'where to',
      commands: [],
      description: '',
      words: WORDS[name] ?? [],
    };
    const read = schemaOf<Kind>(row, { base: doors.base, lanes: [] }).safeParse(texts);
    if (read.success) values.set(name, read.data);
    else problems.push({ origin, message: read.error.issues.map(({ message }) => message).join(', ') });
  }
  for (const name of Object.keys(shape).filter((each) => shape[each] === 'secret')) {
    const path = values.get(`${name}-file`);
    if (typeof path !== 'string') continue;
    const origin = `${object.origin}.${name}-file`;
    if (values.has(name)) problems.push({ origin, message: `give either this or ${name}` });
    const secret = await doors.readSecret(path).catch(() => '');
    if (secret === '') problems.push({ origin, message: `${path} cannot be read, or is empty` });
    else values.set(name, secret);
  }
  return (name) => values.get(name) as never;
}
