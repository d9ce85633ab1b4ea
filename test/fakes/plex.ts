/** Plex as PROTOCOLS §2.1 says it is: XML unless JSON is asked for, and a path that it does not know is dropped with a 200. */
import {
  startFake,
  type FakeAnswer,
  type FakeLibrary,
  type FakeMediaServer,
  type FakeOptions,
} from './mediaServer.js';

export interface FakePlexOptions extends FakeOptions {
  /** 1.43.1 and later have it. */
  readonly nfoAgent?: boolean;
  /** Answers XML even where JSON is asked for. */
  readonly alwaysXml?: boolean;
  /** Takes scans by POST only, as its description says. */
  readonly scanByPost?: boolean;
  /** A list of one comes as an object. */
  readonly singleAsObject?: boolean;
}

const AGENTS = ['tv.plex.agents.movie', 'tv.plex.agents.series', 'tv.plex.agents.none'];
const NFO_AGENTS = ['tv.plex.agents.nfo.movie', 'tv.plex.agents.nfo.series'];
const SCANNERS = ['Plex Movie', 'Plex Video Files', 'Plex TV Series'];

export function startFakePlex(options: FakePlexOptions = {}): Promise<FakeMediaServer> {
  const agents = [...AGENTS, ...((options.nfoAgent ?? true) ? NFO_AGENTS : [])];
  const exists = options.folderExists ?? (() => true);
  return startFake(options, (request, state): FakeAnswer => {
    const { method, path, query, headers } = request;
    const asJson = (headers['accept'] ?? '').includes('application/json') && options.alwaysXml !== true;
    const given = headers['x-plex-token'] ?? query.get('X-Plex-Token');
    if (path === '/identity') return container(asJson, { machineIdentifier: 'abc', version: '1.43.1' }, []);
    if (given !== state.token)
      return { status: 401, body: '<html>401 Unauthorized</html>', type: 'text/html' };
    if (path === '/' && method === 'GET')
      return container(asJson, { friendlyName: 'Fake Plex', version: '1.43.1' }, []);
    if (path === '/library/sections' && method === 'GET')
      return container(asJson, { size: state.libraries.length }, state.libraries, options.singleAsObject);
    if (path === '/library/sections' && method === 'POST') {
      const wish = Object.fromEntries(query);
      const { name = '', type = '', agent = '', scanner = '', language = '', location = '' } = wish;
      const known = ['movie', 'show'].includes(type) && agents.includes(agent) && SCANNERS.includes(scanner);
      if (name === '' || language === '' || !known || !location.startsWith('/') || !exists(location))
        return { status: 400, body: 'Bad Request' };
      const id = String(7 + state.libraries.length);
      state.libraries.push({ id, name, type, agent, scanner, locations: [location] });
      return { status: 201 };
    }
    const [, id = '', action = ''] = /^\/library\/sections\/(\d+)\/(\w+)$/.exec(path) ?? [];
    const library = state.libraries.find((each) => each.id === id);
    if (!library) return { status: 404 };
    if (action === 'refresh' && (method === 'POST' || (method === 'GET' && options.scanByPost !== true))) {
      const folder = query.get('path');
      if (folder === null) state.wholeScans.push(library.name);
      // A foreign path, or a file, is answered as if all were well.
      else if (
        library.locations.some((place) => folder.startsWith(`${place}/`)) &&
        !/\.\w{2,4}$/.test(folder)
      )
        state.scans.push({ folder, at: request.at });
      return { status: 200 };
    }
    if (action === 'emptyTrash' && method === 'PUT') return { status: 200 };
    if (action === 'all' && method === 'GET') {
      // A library of series lists its series, which have no files, unless episodes are asked for.
      const listed = library.type === 'show' && query.get('type') !== '4' ? [] : (options.media?.() ?? []);
      const media = listed.map((file) => ({ Media: [{ Part: [{ file }] }] }));
      const MediaContainer = { size: media.length, Metadata: media };
      return { status: 200, body: JSON.stringify({ MediaContainer }), type: 'application/json' };
    }
    return { status: action === 'refresh' ? 405 : 404 };
  });
}

function container(
  asJson: boolean,
  fields: Readonly<Record<string, string | number>>,
  libraries: readonly FakeLibrary[],
  singleAsObject = false,
): FakeAnswer {
  const sections = libraries.map(({ id, name, type, agent = '', scanner = '', locations }) => ({
    key: id,
    type,
    title: name,
    agent,
    scanner,
    language: 'en-US',
    refreshing: false,
    Location: locations.map((path, index) => ({ id: index + 1, path })),
  }));
  if (asJson) {
    const Directory = singleAsObject && sections.length === 1 ? sections[0] : sections;
    const MediaContainer = { ...fields, ...(sections.length > 0 && { Directory }) };
    return { status: 200, body: JSON.stringify({ MediaContainer }), type: 'application/json' };
  }
  const attributes = Object.entries(fields).map(([name, value]) => ` ${name}="${escape(String(value))}"`);
  const directories = sections.map(({ key, type, title, agent, Location }) => {
    const places = Location.map(({ id, path }) => `<Location id="${id}" path="${escape(path)}"/>`);
    return `<Directory key="${key}" type="${type}" title="${escape(title)}" agent="${agent}">${places.join('')}</Directory>`;
  });
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<MediaContainer${attributes.join('')}>${directories.join('')}</MediaContainer>`;
  return { status: 200, body, type: 'application/xml' };
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}
