/** The page: its frame, its way around, and which part of it is shown. */

import { render } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Health } from './answers.js';
import { GuidePage } from './guidePage.js';
import { LibraryPage } from './libraryPage.js';
import { listen, useLive } from './live.js';
import { MachinesPage } from './machinesPage.js';
import { NowPage } from './nowPage.js';
import { RecordingPage } from './recordingPage.js';
import { SayingArea } from './say.js';
import { StoragePage } from './storagePage.js';
import { UpstreamsPage } from './upstreamsPage.js';
import './style.css';

const PAGES = [
  ['now', 'Now', NowPage],
  ['guide', 'Guide', GuidePage],
  ['library', 'Library', LibraryPage],
  ['storage', 'Storage', StoragePage],
  ['upstreams', 'Upstreams', UpstreamsPage],
  ['machines', 'Machines', MachinesPage],
] as const;

/** `…/inspect` is the machines, whatever else is asked. */
const FIRST = location.pathname.endsWith('/inspect') ? 'machines' : 'now';

function placeOf(hash: string): { page: string; id: string } {
  const [page = '', id = ''] = hash.replace(/^#\/?/, '').split('/');
  return { page: page === '' ? FIRST : page, id };
}

function App() {
  const [place, setPlace] = useState(() => placeOf(location.hash));
  const heading = useRef<HTMLHeadingElement>(null);
  const moved = useRef(false);
  const { data: health, error } = useLive<Health>('healthz', [], 5_000);
  useEffect(() => {
    const onHash = () => {
      moved.current = true;
      setPlace(placeOf(location.hash));
    };
    addEventListener('hashchange', onHash);
    return () => removeEventListener('hashchange', onHash);
  }, []);
  // A reader of the screen hears where it is now.
  useEffect(() => {
    if (moved.current) heading.current?.focus();
  }, [place.page, place.id]);
  useEffect(listen, []);

  const isRecording = place.page === 'recording' && /^[0-9a-f]{8,40}$/.test(place.id);
  const [, title, Page] = PAGES.find(([key]) => key === place.page) ?? PAGES[0];
  const name = isRecording ? 'Recording' : title;
  useEffect(() => {
    document.title = `${name} · catchupd`;
  }, [name]);
  const state = error
    ? 'silent'
    : health === null
      ? ''
      : !health.ok
        ? 'stuck'
        : health.degraded
          ? 'degraded'
          : 'well';

  return (
    <SayingArea>
      <a
        class="skip-link"
        href="#main"
        onClick={(event) => (event.preventDefault(), heading.current?.focus())}
      >
        To the content
      </a>
      <header class="top">
        <span class="brand">
          <i class={`dot ${state}`} aria-hidden="true" />
          catchupd <span class="hidden">{state}</span>
        </span>
        <nav aria-label="Pages">
          {PAGES.map(([key, label]) => (
            <a
              key={key}
              href={`#/${key}`}
              aria-current={!isRecording && key === place.page ? 'page' : undefined}
            >
              {label}
            </a>
          ))}
        </nav>
      </header>
      <main id="main">
        <h1 ref={heading} tabIndex={-1}>
          {name}
        </h1>
        {error && (
          <p class="notice bad" role="alert">
            <strong>The recorder does not answer.</strong> What is shown may be old; it is asked again every
            few seconds.
          </p>
        )}
        {health?.degraded && (
          <p class="notice bad" role="alert">
            The state cannot be written ({health.problem}). What is being recorded goes on; nothing new
            starts.
          </p>
        )}
        {isRecording ? <RecordingPage key={place.id} id={place.id} /> : <Page key={place.id} id={place.id} />}
      </main>
    </SayingArea>
  );
}

const root = document.querySelector('#app');
if (root) render(<App />, root);
