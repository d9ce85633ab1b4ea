/** The command line as commander knows it, made from the tables of commands and options: parsing and help. */
import { Command, CommanderError, Option } from 'commander';
import { type Group, GROUPS, type CommandName, type OptionRow } from '../config/optionRow.js';
import { envName, optionsOf } from '../config/options.js';
import { COMMANDS, type CommandRow } from './commands.js';

export interface Parsed {
  readonly command: CommandName;
  /** Texts by option name, as often as given. */
  readonly line: ReadonlyMap<string, readonly string[]>;
  readonly args: readonly string[];
}

const HEADINGS: Readonly<Record<Group, string>> = {
  sources: 'Sources:',
  places: 'Places:',
  what: 'What is recorded:',
  when: 'When:',
  how: 'How:',
  'how long': 'How long it is kept:',
  'where to': 'Where finished recordings go:',
  doors: 'Doors:',
  run: 'This run:',
  logs: 'Configuration and logs:',
  answer: 'The answer:',
};

const EPILOGUE = `
Every option can also be set in the environment (${envName('out-dir')} for --out-dir) or, by the same name,
in a config file. 0 means no limit, for every limit. Durations: 250ms 30s 5m 1h30m 7d. Sizes: 20GiB 500MB.
`;

const HELP_HINT = '\n`catchupd help COMMAND` shows what a command takes.\n';

/**
 * Takes what `normaliseArguments` made: every option known to the command and in the form `--name=value`.
 * Throws CommanderError where the positionals do not fit.
 */
export function parseLine(
  command: CommandName,
  options: readonly string[],
  positionals: readonly string[],
): Parsed {
  const line = new Map<string, string[]>();
  let args: readonly string[] = [];
  const program = buildProgram((name, text) => line.set(name, [...(line.get(name) ?? []), text]));
  const chosen = program.commands.find((each) => each.name() === command);
  chosen?.action(() => {
    args = chosen.args;
  });
  program.parse([command, ...options, '--', ...positionals], { from: 'user' });
  return { command, line, args };
}

/** The help of a command, or of the whole program. */
export function helpText(command: CommandName | null): string {
  const program = buildProgram(() => undefined);
  const chosen = command === null ? program : program.commands.find((each) => each.name() === command);
  const after = chosen && chosen.options.length > 0 ? EPILOGUE : '';
  return `${(chosen ?? program).helpInformation()}${chosen === program ? HELP_HINT : after}`;
}

/** What commander has to say, without its prefix. */
export function commanderMessage(error: unknown): string | null {
  return error instanceof CommanderError ? error.message.replace(/^error: /, '') : null;
}

function buildProgram(onOption: (name: string, text: string) => void): Command {
  const program = quiet(new Command('catchupd'))
    .description('Always-on catch-up recorder for live IPTV.')
    .usage('COMMAND [options]')
    .helpCommand(false);
  for (const row of COMMANDS) program.addCommand(buildCommand(row, onOption));
  return program;
}

function buildCommand(row: CommandRow, onOption: (name: string, text: string) => void): Command {
  const command = quiet(new Command(row.name)).description(sentence(row.summary)).summary(row.summary);
  for (const alias of row.aliases) command.alias(alias);
  if (row.argument !== undefined) command.argument(row.argument);
  const rows = optionsOf(row.name);
  for (const group of GROUPS) {
    for (const option of rows.filter((each) => each.group === group)) {
      command.addOption(buildOption(option, row.name, onOption));
    }
  }
  return command;
}

function buildOption(
  row: OptionRow,
  command: CommandName,
  onOption: (name: string, text: string) => void,
): Option {
  const standard = row.defaults?.[command] ?? row.default;
  const text = standard === undefined || row.kind === 'flag' ? '' : ` (${standard})`;
  const on = row.kind === 'flag' && standard === 'true' ? ' (on)' : '';
  const option = new Option(`--${row.name} <${valueWord(row)}>`, `${row.description}${text}${on}`)
    .helpGroup(HEADINGS[row.group])
    .argParser((value: string) => onOption(row.name, value));
  // Commander takes --no-auth for the opposite of --auth; here it is a switch of that name.
  option.negate = false;
  return option;
}

function valueWord(row: OptionRow): string {
  if (row.value !== undefined) return row.value;
  if (row.words) return row.words.join('|');
  switch (row.kind) {
    case 'flag':
      return 'true|false';
    case 'duration':
      return 'TIME';
    case 'count':
      return 'N';
    default:
      return 'TEXT';
  }
}

function quiet(command: Command): Command {
  return command
    .exitOverride()
    .helpOption('-h, --help', 'show this')
    .configureOutput({ writeErr: () => undefined, writeOut: () => undefined })
    .configureHelp({
      helpWidth: 100,
      optionTerm: (option) => option.flags.replace(/ <true\|false>$/, '').replace(/<(.*)>/, '$1'),
    });
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
