/**
 * A recording in the page. What is under way comes as a transport stream that follows it (mpegts.js, loaded only when
 * somebody watches); what is finished as HLS where the browser knows it, so that it can be sought in. MP4 every browser
 * plays from its address, but for what still grows.
 */

import { useEffect, useRef, useState } from 'preact/hooks';
import { withToken } from './api.js';
import { followMp4 } from './mp4Player.js';

export interface PlayerWish {
  readonly id: string;
  readonly title: string;
  /** From where the recording is now, without sound; else from its beginning. */
  readonly live: boolean;
  readonly finished: boolean;
}

type Problem = (text: string) => void;
type Wish = Omit<PlayerWish, 'title'>;

/** Gives what ends it. */
async function opened(
  element: HTMLVideoElement,
  { id, live, finished }: Wish,
  onProblem: Problem,
): Promise<() => void> {
  const url = new URL(withToken(`media/${id}${live ? '?from=live' : ''}`), location.href).href;
  const kind = await fetch(url, { method: 'HEAD' }).then(
    ({ headers }) => headers.get('content-type'),
    () => null,
  );
  const isMp4 = kind === 'video/mp4';
  if (!finished)
    return isMp4
      ? followMp4(element, url, onProblem)
      : followStream(element, url, { live, finished }, onProblem);
  if (isMp4) return playAddress(element, url, onProblem);
  if (element.canPlayType('application/vnd.apple.mpegurl') !== '')
    return playAddress(element, withToken(`media/${id}/index.m3u8`), onProblem);
  return followStream(element, url, { live, finished }, onProblem);
}

function playAddress(element: HTMLVideoElement, url: string, onProblem: Problem): () => void {
  const onError = () => onProblem('This browser cannot play it.');
  element.src = url;
  element.addEventListener('error', onError);
  return () => {
    element.removeEventListener('error', onError);
    element.removeAttribute('src');
    element.load();
  };
}

async function followStream(
  element: HTMLVideoElement,
  url: string,
  { live, finished }: Omit<Wish, 'id'>,
  onProblem: Problem,
): Promise<() => void> {
  const { default: mpegts } = await import('mpegts.js');
  if (!mpegts.isSupported()) {
    onProblem('This browser cannot play transport streams.');
    return () => undefined;
  }
  const player = mpegts.createPlayer(
    { type: 'mpegts', isLive: !finished, url, cors: false },
    { enableWorker: false, enableStashBuffer: !live, lazyLoad: false, autoCleanupSourceBuffer: true },
  );
  mpegts.LoggingControl.enableAll = false;
  player.on(mpegts.Events.ERROR, (_kind: unknown, detail: unknown) =>
    onProblem(`It stopped: ${String(detail)}`),
  );
  player.attachMediaElement(element);
  player.load();
  return () => player.destroy();
}

export function Player({ id, title, live, finished }: PlayerWish) {
  const video = useRef<HTMLVideoElement>(null);
  const [problem, setProblem] = useState('');

  useEffect(() => {
    const element = video.current;
    if (!element) return undefined;
    let left = false;
    let close: () => void = () => undefined;
    setProblem('');
    void opened(element, { id, live, finished }, setProblem).then((end) => {
      if (left) end();
      else close = end;
    });
    return () => {
      left = true;
      close();
    };
  }, [id, live, finished]);

  return (
    <div class="player">
      <video ref={video} controls={!live} muted={live} autoplay playsInline aria-label={title}>
        <track kind="captions" />
      </video>
      {problem !== '' && (
        <p class="player-problem" role="status">
          {problem}
        </p>
      )}
    </div>
  );
}
