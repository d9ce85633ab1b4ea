/**
 * `--on-published` as a receiver: one program for each finished recording, run to its end, one after the other. It gets
 * what is known in its environment, as JSON on its standard input, and in place of `{path}`, `{title}` … in its words;
 * never through a shell, so that a title is a word and nothing more.
 */
import type { NoticeRow } from '../domain/outbox.js';
import type { ProgramEnd, Programs } from '../io/programs.js';
import { isRecord, textIn } from './answer.js';
import { DONE, type Delivery, type Receiver } from './receiver.js';

export const COMMAND = 'on-published';

const TIMEOUT_MS = 120_000;
const TRIES_MAX = 3;
/** Our own settings, tokens among them, are nobody else's. */
const OURS = /^(?:CATCHUPD_|IPTV_TUNERR_)/;

export function commandReceiver(words: readonly string[], programs: Programs): Receiver {
  const [program = ''] = words;
  return {
    name: COMMAND,
    shown: `program ${program}`,
    async deliver(row, signal) {
      if (row.kind !== 'notice') return DONE;
      const facts = factsOf(row);
      const env: Record<string, string> = {};
      for (const [name, value] of Object.entries(programs.environment()))
        if (value !== undefined && !OURS.test(name)) env[name] = value;
      for (const [name, value] of Object.entries(facts)) env[`CATCHUPD_${name.toUpperCase()}`] = value;
      const end = await programs.run({
        words: words.map((word, index) => (index === 0 ? word : filled(word, facts))),
        env,
        stdin: `${JSON.stringify(row.facts)}\n`,
        timeoutMs: TIMEOUT_MS,
        signal,
      });
      return judged(end, row);
    },
  };
}

/** No NUL can be in a word or variable, and no other control character does any good there. */
function factsOf({ event, facts }: NoticeRow): Readonly<Record<string, string>> {
  const item = isRecord(facts) ? facts['recording'] : null;
  const text = (name: string) => textIn(item, name).replace(/\p{Cc}+/gu, ' ');
  return {
    event,
    id: text('id'),
    title: text('title'),
    sub_title: text('sub_title'),
    lane: text('lane'),
    channel: text('channel_name') || text('channel_id'),
    start: text('start'),
    stop: text('stop'),
    path: text('output_path'),
    folder: text('published_dir') || text('output_path').replace(/\/[^/]*$/, ''),
    nfo: text('nfo_path'),
    outcome: text('outcome'),
    coverage: text('coverage'),
  };
}

function filled(word: string, facts: Readonly<Record<string, string>>): string {
  return word.replace(/\{([a-z_]+)\}/g, (whole, name: string) => facts[name] ?? whole);
}

function judged(end: ProgramEnd, { tries }: NoticeRow): Delivery {
  if (end.kind === 'exited' && end.code === 0) return DONE;
  if (end.kind === 'aborted')
    return { kind: 'failed', code: 'command_failed', detail: 'stopped', retryAfterMs: null };
  const last = tries + 1 >= TRIES_MAX;
  return {
    kind: last ? 'dropped' : 'later',
    code: 'command_failed',
    detail: sentence(end),
    retryAfterMs: null,
  };
}

function sentence(end: Exclude<ProgramEnd, { kind: 'aborted' }>): string {
  const said = 'stderr' in end && end.stderr.trim() !== '' ? `: ${end.stderr.trim().slice(-300)}` : '';
  switch (end.kind) {
    case 'exited':
      return `it ended with ${end.code}${said}`;
    case 'killed':
      return `it was ended by ${end.signal}${said}`;
    case 'late':
      return `it did not end within ${TIMEOUT_MS / 1000} s${said}`;
    case 'absent':
      return `it cannot be started (${end.code})`;
  }
}
