/**
 * Every failure this program can name, in one table: what it means, whether trying again helps, the HTTP status it
 * answers with, and what a person should do. `docs/errors.md` is checked against it.
 */

export interface ErrorEntry {
  readonly meaning: string;
  readonly retryable: boolean;
  /** Status of an HTTP answer that carries this code. */
  readonly http: number;
  readonly hint: string;
}

export const ERRORS = {
  usage: {
    meaning: 'The command line, environment or config file is wrong.',
    retryable: false,
    http: 400,
    hint: 'Every problem is listed with the place it came from; `catchupd help COMMAND` shows what is allowed.',
  },
  bug: {
    meaning: 'catchupd itself failed; other recordings go on.',
    retryable: true,
    http: 500,
    hint: 'Report it with the log lines around it.',
  },
  guide_not_xmltv: {
    meaning: 'What answered is not an XMLTV guide.',
    retryable: true,
    http: 502,
    hint: 'Open the address: it should show <tv>. A login page or an error page is the usual cause.',
  },
  guide_unreadable: {
    meaning: 'The guide could not be read or fetched.',
    retryable: true,
    http: 502,
    hint: 'Check the path or address and its permissions; the last good guide stays in use.',
  },
  guide_compressed: {
    meaning: 'The guide is packed in a form that catchupd cannot open (xz or zip).',
    retryable: true,
    http: 502,
    hint: 'Ask for the plain or the gzip form of the guide, or unpack it first.',
  },
  list_not_catalog: {
    meaning: 'What answered is not a catalog.json.',
    retryable: true,
    http: 502,
    hint: 'Open the address: it should show {"live_channels": …}. A login page or an error page is the usual cause.',
  },
  list_not_m3u: {
    meaning: 'What answered is not an M3U channel list.',
    retryable: true,
    http: 502,
    hint: 'Open the address: it should begin with #EXTM3U and hold #EXTINF lines.',
  },
  aliases_unreadable: {
    meaning: 'The alias file is not what it should be.',
    retryable: false,
    http: 400,
    hint: 'It is JSON of the form {"name_to_xmltv_id": {"Channel name": "xmltv id"}}.',
  },
  state_newer: {
    meaning: 'The state was written by a newer version of catchupd.',
    retryable: false,
    http: 500,
    hint: 'Start that version, or name another file with --state-file. Nothing was changed.',
  },
  state_unreadable: {
    meaning: 'The state file is there but may not be read.',
    retryable: false,
    http: 500,
    hint: 'Give the user who runs catchupd the right to read and write it and its folder.',
  },
  state_unwritable: {
    meaning: 'The state cannot be written.',
    retryable: true,
    http: 503,
    hint: 'Check the folder, its owner and its free space. Captures go on; nothing new is started, published or deleted.',
  },
  state_locked: {
    meaning: 'Another catchupd works on this folder.',
    retryable: true,
    http: 409,
    hint: 'Stop the one that is named, or give this one another --out-dir.',
  },
  mount_missing: {
    meaning: 'A folder that catchupd knows is not there, or its marker is not: a disk is not mounted.',
    retryable: true,
    http: 503,
    hint: 'Mount it. Nothing is written there, deleted or forgotten until its .catchupd-root is back.',
  },
  root_foreign: {
    meaning: 'The marker of a folder belongs to another state: another disk is mounted there.',
    retryable: true,
    http: 503,
    hint: 'Mount the right disk, or name the folder that this state knows.',
  },
  disk_full: {
    meaning: 'No space is left on the disk.',
    retryable: true,
    http: 507,
    hint: 'Free some space or lower the keep times; it goes on by itself.',
  },
  disk_error: {
    meaning: 'The disk failed to read or write.',
    retryable: true,
    http: 503,
    hint: 'Look at the system log and the disk; it is tried again by itself.',
  },
  folder_unwritable: {
    meaning: 'A folder may not be written by this user, or is mounted read-only.',
    retryable: true,
    http: 503,
    hint: 'Give the user who runs catchupd the right to write the folder that is named.',
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;

/** An expected failure that a person can act on. `detail` names the path or (redacted) address. */
export class CodedError extends Error {
  constructor(
    readonly code: ErrorCode,
    readonly detail: string,
  ) {
    super(detail);
    this.name = 'CodedError';
  }
}
