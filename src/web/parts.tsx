/** Small things that every page is made of. */

import type { ComponentChildren, TargetedMouseEvent } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { ApiError } from './api.js';
import type { Recording } from './answers.js';
import { duration, percent, words } from './format.js';

export function Problem({ error }: { readonly error: ApiError | null }) {
  // That nobody answers is said once, above every page.
  if (error === null || error.code === 'unreachable') return null;
  return (
    <div class="notice bad" role="alert">
      <strong>{error.message}</strong> {error.hint} <code>{error.code}</code>
    </div>
  );
}

export function Empty({
  title,
  children,
}: {
  readonly title: string;
  readonly children?: ComponentChildren;
}) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children && <p>{children}</p>}
    </div>
  );
}

export function Loading() {
  return (
    <p class="loading" aria-live="polite">
      Loading …
    </p>
  );
}

const TONES: Readonly<Record<string, string>> = {
  spooling: 'live',
  retrying: 'warn',
  failover: 'warn',
  finalizing: 'info',
  scheduled: 'info',
  published: 'good',
  complete: 'good',
  complete_with_gaps: 'warn',
  partial: 'warn',
  empty: 'bad',
  missed: 'bad',
  failed: 'bad',
  cancelled: 'mute',
  quarantined: 'bad',
  skip: 'mute',
};

const NAMES: Readonly<Record<string, string>> = {
  spooling: 'recording',
  retrying: 'trying again',
  failover: 'changing source',
  finalizing: 'finishing',
  complete_with_gaps: 'with gaps',
  quarantined: 'put aside',
};

export function Tag({ word }: { readonly word: string }) {
  return <span class={`tag ${TONES[word] ?? 'info'}`}>{NAMES[word] ?? words(word)}</span>;
}

/** What is there of the programme, and where the holes are. */
export function Coverage({ recording, now }: { readonly recording: Recording; readonly now: number }) {
  const start = Date.parse(recording.start);
  const stop = Date.parse(recording.stop);
  const length = Math.max(1, stop - start);
  const at = (time: number) => Math.min(100, Math.max(0, ((time - start) / length) * 100));
  const done = recording.outcome !== undefined;
  const from = recording.started_at ? Math.max(start, Date.parse(recording.started_at)) : start;
  const end = done ? stop : Math.min(now, stop);
  const share = recording.coverage;
  const holes = recording.gaps.map(({ from: open, to, cause, seconds }) => ({
    left: at(Date.parse(open)),
    width: Math.max(0.4, at(Date.parse(to)) - at(Date.parse(open))),
    title: `${duration(seconds * 1000)} missing: ${words(cause)}`,
  }));
  const gaps = recording.gap_count === 1 ? '1 gap' : `${recording.gap_count} gaps`;
  const label =
    share === undefined
      ? `${Math.round(at(end))} % of the programme has passed, ${gaps}`
      : `${percent(share)} of the programme is there, ${gaps}`;
  return (
    <div class="coverage" role="img" aria-label={label} title={label}>
      {(!done || (share ?? 0) > 0) && (
        <i class="there" style={{ left: `${at(from)}%`, width: `${Math.max(0, at(end) - at(from))}%` }} />
      )}
      {holes.map((hole) => (
        <i
          key={`${hole.left} ${hole.width}`}
          class="hole"
          style={{ left: `${hole.left}%`, width: `${hole.width}%` }}
          title={hole.title}
        />
      ))}
    </div>
  );
}

export function Bar({
  value,
  max,
  label,
  mark,
  limited = true,
}: {
  readonly value: number;
  readonly max: number;
  readonly label: string;
  /** Where it should not go below or above, 0 to 1. */
  readonly mark?: number;
  /** Whether `max` is more than something to compare with. */
  readonly limited?: boolean;
}) {
  const share = max > 0 ? Math.min(1, value / max) : 0;
  const tone = !limited ? 'mute' : share > 0.95 ? 'bad' : share > 0.8 ? 'warn' : 'good';
  return (
    <div class="bar" role="img" aria-label={label}>
      <i class={tone} style={{ width: `${share * 100}%` }} />
      {mark !== undefined && <b style={{ left: `${mark * 100}%` }} />}
    </div>
  );
}

/** A native dialog: focus, Escape and the screen reader are the browser's business. */
export function Dialog({
  title,
  onClose,
  children,
}: {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = ref.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  const onClick = (event: TargetedMouseEvent<HTMLDialogElement>) => {
    if (event.target === ref.current) onClose();
  };
  return (
    <dialog ref={ref} aria-labelledby="dialog-title" onClose={onClose} onClick={onClick}>
      <div class="dialog-body">
        <header>
          <h2 id="dialog-title">{title}</h2>
          <button type="button" class="plain" onClick={onClose} aria-label="Close">
            ✕
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}

export function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <div class="fact">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
