/**
 * A recording in the page. What is under way comes as a transport stream that follows it (mpegts.js, loaded only when
 * somebody watches); what is finished as HLS where the browser knows it, so that it can be sought in.
 */

import { useEffect, useRef, useState } from 'preact/hooks';
import { withToken } from './api.js';

export interface PlayerWish {
  readonly id: string;
  readonly title: string;
  /** From where the recording is now, without sound; else from its beginning. */
  readonly live: boolean;
  readonly finished: boolean;
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
    if (finished && element.canPlayType('application/vnd.apple.mpegurl') !== '') {
      element.src = withToken(`media/${id}/index.m3u8`);
      const onError = () => setProblem('This browser cannot play it.');
      element.addEventListener('error', onError);
      close = () => {
        element.removeEventListener('error', onError);
        element.removeAttribute('src');
        element.load();
      };
    } else {
      void import('mpegts.js').then(({ default: mpegts }) => {
        if (left) return;
        if (!mpegts.isSupported()) return setProblem('This browser cannot play transport streams.');
        const url = new URL(withToken(`media/${id}${live ? '?from=live' : ''}`), location.href).href;
        const player = mpegts.createPlayer(
          { type: 'mpegts', isLive: !finished, url, cors: false },
          { enableWorker: false, enableStashBuffer: !live, lazyLoad: false, autoCleanupSourceBuffer: true },
        );
        mpegts.LoggingControl.enableAll = false;
        player.on(mpegts.Events.ERROR, (_kind: unknown, detail: unknown) =>
          setProblem(`It stopped: ${String(detail)}`),
        );
        player.attachMediaElement(element);
        player.load();
        close = () => player.destroy();
      });
    }
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
