/** Replay addresses from a template with single-brace variables (PROTOCOLS §1.5). Times are UTC. */

import type { Capsule } from './capsule.js';
import { rfc3339 } from './text.js';

/** Variables that nobody knows stay as they are; only `*_query` is escaped, as a form does it. */
export function replayUrl(template: string, capsule: Capsule): string {
  const values = valuesOf(capsule);
  return template.replace(/\{([a-z0-9_]+)\}/g, (whole, name: string) => values[name] ?? whole);
}

function valuesOf(capsule: Capsule): Readonly<Record<string, string>> {
  const { startAt, stopAt, title, channelName } = capsule;
  const start = rfc3339(startAt);
  const unix = (at: number) => String(Math.trunc(at / 1_000));
  return {
    capsule_id: capsule.capsuleId,
    dna_id: capsule.dnaId,
    channel_id: capsule.channelId,
    guide_number: capsule.guideNumber,
    channel_name: channelName,
    channel_name_query: formEncoded(channelName),
    title,
    title_query: formEncoded(title),
    start_rfc3339: start,
    stop_rfc3339: rfc3339(stopAt),
    start_unix: unix(startAt),
    stop_unix: unix(stopAt),
    duration_mins: String(Math.trunc((stopAt - startAt) / 60_000)),
    start_ymd: start.slice(0, 10),
    start_hm: hourMinute(startAt),
    start_xtream: xtream(startAt),
    stop_xtream: xtream(stopAt),
  };
}

function formEncoded(text: string): string {
  return new URLSearchParams({ q: text }).toString().slice('q='.length);
}

/** `19-30` */
function hourMinute(at: number): string {
  return new Date(at).toISOString().slice(11, 16).replace(':', '-');
}

/** `2026-11-23:19-30` */
function xtream(at: number): string {
  return `${new Date(at).toISOString().slice(0, 10)}:${hourMinute(at)}`;
}
