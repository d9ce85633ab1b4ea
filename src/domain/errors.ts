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
