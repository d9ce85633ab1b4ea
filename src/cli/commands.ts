/** The commands, their other names, what they take and what they do; the help is made from this. */
import type { CommandName } from '../config/optionRow.js';

export interface CommandRow {
  readonly name: CommandName;
  readonly aliases: readonly string[];
  /** In commander's form: `<query...>` needed, `[command]` optional. */
  readonly argument?: string;
  readonly summary: string;
}

export const COMMANDS: readonly CommandRow[] = [
  { name: 'run', aliases: ['catchup-daemon'], summary: 'watch the guide and record, until told to stop' },
  { name: 'record', aliases: ['catchup-record'], summary: 'record what is on now, then exit' },
  {
    name: 'capsules',
    aliases: ['catchup-capsules'],
    summary: 'show what the guide has for the channels, as iptv-tunerr does',
  },
  {
    name: 'launchers',
    aliases: ['catchup-publish'],
    summary: 'write a .strm and .nfo for each programme, for media servers that play addresses',
  },
  { name: 'plan', aliases: [], summary: 'show what would be recorded and why, and what not and why' },
  {
    name: 'why',
    aliases: [],
    argument: '<query...>',
    summary: 'the same for one programme or recording, by id, title or channel',
  },
  {
    name: 'keep',
    aliases: [],
    argument: '<id>',
    summary: 'keep a recording until `unkeep`, whatever the keep times say',
  },
  { name: 'unkeep', aliases: [], argument: '<id>', summary: 'let the keep times count for it again' },
  {
    name: 'cancel',
    aliases: [],
    argument: '<id>',
    summary: 'do not record it, or stop recording it; what was captured is kept',
  },
  {
    name: 'retry',
    aliases: [],
    argument: '<id>',
    summary: 'record it after all, or again, while its programme lasts',
  },
  {
    name: 'delete',
    aliases: [],
    argument: '<id>',
    summary: 'remove a recording and its media; it is not recorded again',
  },
  {
    name: 'report',
    aliases: ['catchup-recorder-report'],
    summary: 'what is being, was and could not be recorded',
  },
  {
    name: 'rebuild',
    aliases: [],
    summary: 'a lost or unreadable state, from the history and the ledgers on disk',
  },
  { name: 'replay', aliases: [], summary: 'the story of every recording, from its history' },
  { name: 'doctor', aliases: [], summary: 'check configuration, disk, guide and sources' },
  { name: 'health', aliases: [], summary: 'exit 0 if the running daemon is alive, for containers' },
  {
    name: 'demo',
    aliases: [],
    summary: 'the built-in provider alone: four channels and a guide to try with',
  },
  { name: 'help', aliases: [], argument: '[command]', summary: 'show what a command takes' },
  { name: 'version', aliases: [], summary: 'show the version' },
];

/** By name or alias. */
export function findCommand(word: string): CommandRow | undefined {
  return COMMANDS.find((row) => row.name === word || row.aliases.includes(word));
}

/** Every word that starts a command. */
export function commandWords(): string[] {
  return COMMANDS.flatMap((row) => [row.name, ...row.aliases]);
}
