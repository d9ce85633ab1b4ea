/** Bugs of one line, each of them planted where the storms must find it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TOP } from './compile.mjs';

export const MUTANTS = [
  {
    name: 'truncate-on-open',
    file: 'src/capture/spool.ts',
    from: '({ bytes: firstOffset, trimmedBytes, isLoose } = await trimSpool(file));',
    to: 'await file.truncate(0);\n({ bytes: firstOffset, trimmedBytes, isLoose } = await trimSpool(file));',
  },
  {
    name: 'slot-never-given-back',
    file: 'src/domain/slots.ts',
    from: 'if (!holds(slot.holders, id)) return [slot];',
    to: 'if (slot.holders.length > 0) return [slot];',
  },
  {
    name: 'deadline-lost-at-restore',
    file: 'src/runtime/book.ts',
    from: 'deadlines.set(noted.id, gist(noted).deadline);',
    to: '',
  },
  {
    name: 'cool-down-forgotten',
    file: 'src/domain/slots.ts',
    from: 'const until = at + table.cooldownMs;',
    to: 'const until = at;',
  },
  {
    name: 'overlap-not-cut',
    file: 'src/capture/firstLook.ts',
    from: 'const found = isNew ? null : (claim?.offset ?? find(bytes));',
    to: 'const found = isNew ? (claim?.offset ?? find(bytes)) : null;',
  },
  {
    name: 'padding-does-not-yield',
    file: 'src/domain/allot.ts',
    from: 'const padding = victims.find(({ holders }) => holders.every(({ stopAt }) => at >= stopAt));',
    to: 'const padding = undefined as Slot | undefined;',
  },
  {
    name: 'marker-ignored-if-missing',
    file: 'src/io/rootMarker.ts',
    from: "if (uuid === null) return 'mount_missing';",
    to: 'if (uuid === null) return null;',
  },
  {
    name: 'media-before-nfo',
    file: 'src/finalize/finalize.ts',
    from: '  await replaceFile(disk, place.nfo, nfoOf(recording.capsule, wish), own);\n',
    to: '',
  },
  {
    name: 'marker-ignored',
    file: 'src/io/rootMarker.ts',
    pattern: /(export async function rootProblem\([^{]*\{)/,
    to: '$1\n  if (root) return null;',
  },
  {
    name: 'double-booking',
    file: 'src/runtime/planning.ts',
    from: 'known: knownOf(shadows),',
    to: 'known: knownOf([]),',
  },
  {
    name: 'fsync-skipped',
    file: 'src/capture/spool.ts',
    from: 'synced(() => file.datasync())',
    to: 'synced(async () => undefined)',
  },
  {
    name: 'name-of-the-spool-not-synced',
    file: 'src/capture/spool.ts',
    from: 'let isNamed = firstOffset > 0;',
    to: 'let isNamed = true;',
  },
  {
    name: 'tombstone-dropped',
    file: 'src/store/store.ts',
    from: "change('tombstones', tombstone.id, () => db.data.tombstones.set(tombstone.id, tombstone));",
    to: '',
  },
  {
    name: 'restarted-not-folded',
    file: 'src/runtime/revival.ts',
    from: 'const back = folded(snapshot, event);',
    to: 'const back = snapshot as ReturnType<typeof folded>;',
  },
  {
    name: 'cause-of-a-gap-lost',
    file: 'src/domain/capturing.ts',
    from: '...hole(recording, heardTo, fromAt, cause), ...inside.gaps',
    to: '...inside.gaps',
  },
  {
    name: 'stop-too-early',
    file: 'src/domain/capturing.ts',
    from: 'const end = recording.window.stopAt + recording.window.postPaddingMs;',
    to: 'const end = recording.window.stopAt - 60_000;',
  },
  {
    name: 'every-clock-believed',
    file: 'src/runtime/steadyClock.ts',
    from: 'const JUMP_MS = 120_000;',
    to: 'const JUMP_MS = 1e15;',
  },
  {
    name: 'journal-not-synced',
    file: 'src/store/journalAdapter.ts',
    from: 'await file.datasync(true);',
    to: '',
  },
  {
    name: 'media-unlinked-before-its-record',
    edits: [
      { file: 'src/runtime/stages.ts', from: 'await book().durable(id);', to: '' },
      { file: 'src/expire/remove.ts', from: 'await doors.durable();', to: '' },
    ],
  },
  {
    name: 'spool-unlinked-before-its-media',
    file: 'src/finalize/moveMedia.ts',
    from: 'await disk.syncFolder(dirname(target));\n  await disk.unlink(spool)',
    to: 'await disk.unlink(spool)',
  },
  {
    name: 'server-told-before-its-record',
    file: 'src/runtime/outbox.ts',
    from: 'await written(row, signal);',
    to: '',
  },
  {
    name: 'retry-budget-forgotten',
    file: 'src/domain/capturing.ts',
    from: '(goodMs >= STEADY_STREAM_MS ? 0 : recording.faults) + 1',
    to: '1',
  },
];

/** What a mutant changes: mostly one thing. */
export const editsOf = (mutant) => mutant.edits ?? [mutant];

/** The source with the bug in it; throws where the source has moved on. */
export function planted(name, { file, from, pattern, to }) {
  const text = readFileSync(join(TOP, file), 'utf8');
  const bug = pattern ? text.replace(pattern, to) : text.replace(from, () => to);
  if (bug === text) throw new Error(`${name}: ${file} does not hold what is to be replaced`);
  return bug;
}
