/** What an option, its kind and its place are: the shape of a row of `optionTable.ts`. */

/** How the text of an option is read; `kinds.ts` has a schema for each. */
export type Kind =
  | 'flag'
  | 'count'
  | 'duration'
  | 'share'
  | 'floor'
  | 'size'
  | 'quality'
  | 'rate'
  | 'umask'
  | 'word'
  | 'text'
  | 'secret'
  | 'timezone'
  | 'url'
  | 'socketUrl'
  | 'path'
  | 'locations'
  | 'list'
  | 'lanes'
  | 'laneDurations'
  | 'laneCounts'
  | 'laneSizes'
  | 'accountCounts'
  | 'serverUrl'
  | 'pathMap'
  | 'words'
  | 'listen';

export const GROUPS = [
  'sources',
  'places',
  'what',
  'when',
  'how',
  'how long',
  'where to',
  'doors',
  'run',
  'logs',
  'answer',
] as const;
export type Group = (typeof GROUPS)[number];

/** Keys of the config file that hold lists of objects and are no options. */
export const LIST_KEYS = ['lane-definitions', 'provider-accounts', 'media-servers', 'webhooks'] as const;

/** The built-in lanes. */
export const LANES = ['sports', 'movies', 'general'] as const;

export type CommandName =
  | 'run'
  | 'record'
  | 'capsules'
  | 'launchers'
  | 'plan'
  | 'why'
  | 'keep'
  | 'unkeep'
  | 'cancel'
  | 'retry'
  | 'delete'
  | 'report'
  | 'replay'
  | 'rebuild'
  | 'doctor'
  | 'health'
  | 'demo'
  | 'help'
  | 'version';

export interface OptionRow {
  readonly name: string;
  readonly kind: Kind;
  readonly group: Group;
  readonly commands: readonly CommandName[];
  readonly description: string;
  /** As typed; absent is "not given". */
  readonly default?: string;
  /** Where a command has its own default. */
  readonly defaults?: Readonly<Partial<Record<CommandName, string>>>;
  /** What stands for the value in the help. */
  readonly value?: string;
  /** Of kind `word`: what is allowed, and other spellings of it. */
  readonly words?: readonly string[];
  readonly aliases?: Readonly<Record<string, string>>;
  /** Smallest value other than 0, in the unit of the kind. */
  readonly min?: number;
  /** 0 is refused where it cannot mean "no limit". */
  readonly positive?: boolean;
  /** What iptv-tunerr's users have in their environment. */
  readonly fallback?: string;
  /** Belongs to one command line, not to the environment or a config file. */
  readonly lineOnly?: boolean;
}
