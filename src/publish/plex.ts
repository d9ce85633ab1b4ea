/**
 * Plex (PROTOCOLS §2.1): answers in JSON when it is asked and in XML when it feels like it; reads our `.nfo` since
 * 1.43.1, and before that nothing but file names. A path outside the library's own folders gets a 200 and is dropped,
 * so it is refused here.
 */
import type { LibraryKind } from '../domain/libraryKind.js';
import { isRecord, listIn, textIn } from './answer.js';
import {
  ServerFault,
  type Library,
  type LibraryWish,
  type MediaServer,
  type ServerAccess,
} from './mediaServer.js';
import { call, jsonOf, type Call, type Reply } from './serverCall.js';
import { readXml } from './xmlAnswer.js';

interface Agent {
  readonly agent: string;
  readonly scanner: string;
}

/** The best first. The film agents of Plex itself would look sport up among films. */
const AGENTS: Readonly<Record<LibraryKind, readonly Agent[]>> = {
  movies: [
    { agent: 'tv.plex.agents.nfo.movie', scanner: 'Plex Movie' },
    { agent: 'tv.plex.agents.none', scanner: 'Plex Video Files' },
  ],
  shows: [
    { agent: 'tv.plex.agents.nfo.series', scanner: 'Plex TV Series' },
    { agent: 'tv.plex.agents.none', scanner: 'Plex TV Series' },
  ],
};

const TYPES: Readonly<Record<LibraryKind, string>> = { movies: 'movie', shows: 'show' };

export const plex: MediaServer = {
  kind: 'plex',
  settleMs: 60_000,

  async check(access) {
    const root = containerOf(await ask(access, { method: 'GET', path: '/' }));
    const version = textIn(root, 'version');
    return `${textIn(root, 'friendlyName') || 'Plex'}${version === '' ? '' : ` ${version}`}`;
  },

  async libraries(access) {
    const container = containerOf(await ask(access, { method: 'GET', path: '/library/sections' }));
    return listIn(container, 'Directory').map((section) => ({
      id: textIn(section, 'key'),
      name: textIn(section, 'title'),
      kind: kindOf(textIn(section, 'type')),
      locations: listIn(section, 'Location').map((location) => textIn(location, 'path')),
    }));
  },

  async create(access, wish) {
    const agents = AGENTS[wish.kind];
    for (const agent of agents) {
      const isLast = agent === agents.at(-1);
      const reply = await ask(access, creation(wish, agent, isLast ? [] : [400]));
      if (reply.status !== 400) return agent.agent;
    }
    throw new ServerFault('server_rejected', 'no way to read the items is known there');
  },

  async tell(access, library, { folder, change }) {
    const path = `/library/sections/${encodeURIComponent(library.id)}/refresh`;
    const query = { path: folder };
    // The description says POST, servers and everybody else say GET.
    const reply = await ask(access, { method: 'GET', path, query, accepts: [404, 405] });
    if (reply.status >= 400) await ask(access, { method: 'POST', path, query });
    // What is gone stays as "unavailable" where the trash is not emptied by itself. Some servers do not know this call.
    if (change === 'removed')
      await ask(access, {
        method: 'PUT',
        path: `/library/sections/${encodeURIComponent(library.id)}/emptyTrash`,
        accepts: [400, 404, 405],
      });
  },

  async shows(access, library, path) {
    const reply = await ask(access, {
      method: 'GET',
      path: `/library/sections/${encodeURIComponent(library.id)}/all`,
      // Of series it would list the series, which have no files.
      ...(library.kind === 'shows' && { query: { type: EPISODES } }),
      accepts: [400, 404, 405],
    });
    if (reply.status >= 400) return null;
    // In JSON or XML, as a file or a folder with files in it.
    return [path, JSON.stringify(path).slice(1, -1), xmlAttribute(path)].some((text) =>
      ['"', '/', '\\'].some((end) => reply.text.includes(`${text}${end}`)),
    );
  },
};

/** Plex's number for items of that kind. */
const EPISODES = '4';

function xmlAttribute(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('"', '&quot;')
    .replaceAll('<', '&lt;')
    .replaceAll("'", '&#39;');
}

function creation(wish: LibraryWish, { agent, scanner }: Agent, accepts: readonly number[]): Call {
  return {
    method: 'POST',
    path: '/library/sections',
    query: {
      type: TYPES[wish.kind],
      name: wish.name,
      agent,
      scanner,
      language: 'en-US',
      location: wish.path,
    },
    accepts,
    headers: {},
  };
}

function ask(access: ServerAccess, asked: Omit<Call, 'headers'>): Promise<Reply> {
  return call(access, {
    ...asked,
    headers: {
      'x-plex-token': access.token,
      'x-plex-client-identifier': access.clientId,
      'x-plex-product': 'catchupd',
      'x-plex-version': '1',
      'x-plex-device-name': 'catchupd',
    },
  });
}

/** The `MediaContainer`, from JSON or XML. */
function containerOf(reply: Reply): Readonly<Record<string, unknown>> {
  if (reply.text.trimStart().startsWith('<')) {
    const root = readXml(reply.text);
    if (root?.name === 'MediaContainer') return root.fields;
    throw new ServerFault('server_failing', 'a web page answered; is this the address of the server?');
  }
  const answer = jsonOf(reply);
  const container = isRecord(answer) ? answer['MediaContainer'] : null;
  if (!isRecord(container)) throw new ServerFault('server_failing', 'the answer is none of Plex');
  return container;
}

/** Music and photos are neither. */
function kindOf(type: string): Library['kind'] {
  return type === 'movie' ? 'movies' : type === 'show' ? 'shows' : null;
}
