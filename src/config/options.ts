/** Looking into the table of options: by command, by where they may be set, by what they are called there. */
import type { CommandName, OptionRow } from './optionRow.js';
import { OPTIONS, REBUILD_FORCE, REPLAY_ID, REPORT_LIMIT } from './optionTable.js';

export type OptionName = (typeof OPTIONS)[number]['name'];

/** The rows that a command takes on its line, the file twins of secrets included. */
export function optionsOf(command: CommandName): readonly OptionRow[] {
  const rows: readonly OptionRow[] = [...OPTIONS, REPORT_LIMIT, REPLAY_ID, REBUILD_FORCE];
  return rows.flatMap((row) => (row.commands.includes(command) ? [row, ...twinOf(row)] : []));
}

/** All rows with a key in the config file and a name in the environment. */
export function settableOptions(): readonly OptionRow[] {
  const rows: readonly OptionRow[] = OPTIONS;
  return rows.flatMap((row) => (row.lineOnly === true ? [] : [row, ...twinOf(row)]));
}

/** Every secret can also be read from a file: `--api-token-file`. */
function twinOf(row: OptionRow): readonly OptionRow[] {
  if (row.kind !== 'secret') return [];
  return [
    {
      name: `${row.name}-file`,
      kind: 'path',
      group: row.group,
      commands: row.commands,
      value: 'FILE',
      description: `file that holds --${row.name}`,
    },
  ];
}

/** `CATCHUPD_OUT_DIR` for `out-dir`. */
export function envName(option: string): string {
  return `CATCHUPD_${option.toUpperCase().replaceAll('-', '_')}`;
}
