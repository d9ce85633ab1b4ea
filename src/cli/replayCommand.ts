/** `replay`: the story of every recording from the persisted history, and whether it leads to what is stored. */

import { dirname, join } from 'node:path';
import { CodedError } from '../domain/errors.js';
import { gapOf, showRef, timeMs } from '../domain/sidecar.js';
import { rfc3339 } from '../domain/text.js';
import { systemClock } from '../io/clock.js';
import { exists } from '../io/disk.js';
import { nodeDisk } from '../io/nodeDisk.js';
import { storyOf, type Step, type Story, type Verdict } from '../runtime/replay.js';
import { readHistory } from '../store/historyFiles.js';
import type { NumberedEntry } from '../store/historyLine.js';
import { openStore } from '../store/store.js';
import type { Session } from './session.js';
import { localTime, table } from './table.js';

/** Takes no lock and changes nothing, whatever it finds. 1 where a story leads elsewhere than to what is stored. */
export async function replayCommand({ loaded, log, say }: Session): Promise<number> {
  const { config, answer } = loaded;
  const { stateFile, outDir } = config.places;
  const folder = await historyFolder(stateFile, outDir);
  if (!(await exists(nodeDisk, stateFile).catch(() => true)) && !(await exists(nodeDisk, folder)))
    throw new CodedError('state_missing', stateFile);
  const store = await openStore({
    disk: nodeDisk,
    clock: systemClock,
    log,
    statePath: stateFile,
    readOnly: true,
  });
  const { entries, damage, aside } = await readHistory(nodeDisk, folder);
  const byId = new Map<string, NumberedEntry[]>([...store.recordings().keys()].map((id) => [id, []]));
  for (const entry of entries) {
    const list = byId.get(entry.id);
    if (list) list.push(entry);
    else byId.set(entry.id, [entry]);
  }
  const wanted = [...byId].filter(([id]) => id.startsWith(answer.id ?? ''));
  if (wanted.length === 0 && answer.id !== null)
    throw new CodedError('not_found', `no recording whose id begins with ${answer.id}`);
  const stories = wanted
    .map(([id, own]) => storyOf(id, own, store.recordings().get(id), damage.length + aside > 0))
    .toSorted(byStart);
  const lost = [
    ...store.status().damage,
    ...damage.map(({ path, what, bytes }) => `${path}: ${what} (${bytes} bytes)`),
    ...(aside > 0
      ? [`${folder}: ${aside} damaged ${aside === 1 ? 'line was' : 'lines were'} put aside`]
      : []),
  ];
  if (answer.format === 'json')
    say(
      `${JSON.stringify(
        {
          generated_at: rfc3339(systemClock.now()),
          state_file: stateFile,
          history: folder,
          damage: lost,
          recordings: stories.map(shownStory),
        },
        null,
        2,
      )}\n`,
    );
  else say([...stories.map(storyText), ...lost.map((one) => `lost: ${one}\n`)].join('\n'));
  return stories.some(({ verdict }) => verdict === 'differs') ? 1 : 0;
}

/** Beside the state, or where the out-dir has it when the state lies elsewhere. */
export async function historyFolder(stateFile: string, outDir: string): Promise<string> {
  const beside = join(dirname(stateFile), '.catchupd', 'history');
  const found = await exists(nodeDisk, beside).catch(() => true);
  return found ? beside : join(outDir, '.catchupd', 'history');
}

function byStart(a: Story, b: Story): number {
  const at = ({ recording }: Story) => recording?.window.startAt ?? 0;
  return at(a) - at(b) || (a.id < b.id ? -1 : 1);
}

const VERDICTS: Readonly<Record<Verdict, string>> = {
  same: 'told again, it ends in the state that is stored',
  differs: 'told again, it ends in another state than the one that is stored',
  incomplete: 'lines of its history are missing, so it cannot be told to the end',
  other_chart: 'its history was written by another version of the chart',
  no_history: 'nothing is left of its history',
  gone: 'nothing of it is stored any more',
};

function shownStory({ id, recording, state, steps, verdict, differences }: Story) {
  return {
    id,
    title: recording?.capsule.title ?? '',
    channel_name: recording?.capsule.channelName ?? '',
    ...(recording && {
      start: rfc3339(recording.window.startAt),
      stop: rfc3339(recording.window.stopAt),
    }),
    machine_state: state === null ? null : state.split('.')[0],
    outcome: recording?.result?.outcome ?? null,
    outcome_reason: recording?.result?.reason ?? null,
    sources: [...new Set((recording?.stretches ?? []).map(({ source }) => showRef(source)))],
    gaps: (recording?.result?.gaps ?? recording?.gaps ?? []).map(gapOf),
    transitions: steps.map(shownStep),
    check: verdict,
    differences,
  };
}

function shownStep({ at, event, from, to, source, gaps, detail }: Step) {
  return { at: timeMs(at), event, from, to, source, gaps: gaps.map(gapOf), detail };
}

function storyText({ id, recording, state, steps, verdict, differences }: Story): string {
  const head = recording
    ? `${id}  ${recording.capsule.title} on ${recording.capsule.channelName}, ${localTime(recording.window.startAt)}: ${state ?? ''}\n`
    : `${id}\n`;
  const rows = steps.map(({ at, event, from, to, source, gaps, detail }) => [
    `  ${clockTime(at)}`,
    event.replace(/^xstate\.(done|error)\.actor\./, ''),
    from === to || from === null ? (to ?? '?') : `${from} → ${to ?? '?'}`,
    source ?? '',
    gaps.map(({ fromAt, toAt, cause }) => `${((toAt - fromAt) / 1000).toFixed(1)} s ${cause}`).join(', '),
    detail,
  ]);
  const told = rows.length > 0 ? table(['  at', 'event', 'state', 'source', 'gap', ''], rows) : '';
  const parts = differences.length > 0 ? ` (${differences.join(', ')})` : '';
  return `${head}${told}  ${VERDICTS[verdict]}${parts}\n`;
}

/** `Mon 23 Nov 19:30:02.250`, in the zone of this machine. */
function clockTime(at: number): string {
  const seconds = ((((at % 60_000) + 60_000) % 60_000) / 1000).toFixed(3).padStart(6, '0');
  return `${localTime(at)}:${seconds}`;
}
