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
    meaning: 'The guide is packed in a form that catchupd cannot open (xz, zip, bzip2, …).',
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
  list_not_xtream: {
    meaning: 'What answered is not an Xtream panel, or the address has no login in it.',
    retryable: true,
    http: 502,
    hint: 'Give the address with its login: http://HOST:PORT/?username=USER&password=PASS, or a file with that line. If the panel has no API, give its get.php address to --m3u.',
  },
  account_refused: {
    meaning: 'The panel does not accept the account: wrong login, expired, banned or disabled.',
    retryable: true,
    http: 502,
    hint: 'Check the login and the subscription with the provider; the last good list stays in use and it is asked again.',
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
  spool_stranded: {
    meaning: 'A spool lies in the out-dir that neither the state nor the history nor a ledger tells of.',
    retryable: false,
    http: 500,
    hint: 'Nothing is done to it. Play it, and keep it elsewhere or delete it.',
  },
  state_unreadable: {
    meaning: 'The state file is there but cannot be read.',
    retryable: false,
    http: 500,
    hint: 'Give the user who runs catchupd the right to read and write it and its folder. Where it is damaged, `catchupd rebuild` makes it again from the history and the ledgers.',
  },
  state_unwritable: {
    meaning: 'The state cannot be written.',
    retryable: true,
    http: 503,
    hint: 'Check the folder, its owner and its free space. Captures go on; nothing new is started, published or deleted.',
  },
  clock_doubtful: {
    meaning: 'The wall clock jumped, or is far from where the state left it.',
    retryable: true,
    http: 503,
    hint: 'Check the time of this machine. Recordings go on by elapsed time, and nothing expires until a guide shows what is on now.',
  },
  state_readable: {
    meaning: 'The state can be read, so it is not rebuilt unasked; it lacks recordings that are on disk.',
    retryable: false,
    http: 409,
    hint: 'With --force what it lacks is added; what it has stays as it is.',
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
  disk_slow: {
    meaning: 'The disk does not keep up with the stream.',
    retryable: true,
    http: 503,
    hint: 'Record fewer programmes at once (--max-concurrency), or onto a faster disk; it is tried again by itself.',
  },
  folder_unwritable: {
    meaning: 'A folder may not be written by this user, or is mounted read-only.',
    retryable: true,
    http: 503,
    hint: 'Give the user who runs catchupd the right to write the folder that is named.',
  },
  upstream_unreachable: {
    meaning: 'No connection to the stream: refused, unknown host, or TLS failed.',
    retryable: true,
    http: 502,
    hint: 'Check the address and this machine’s network; it is tried again until the programme ends.',
  },
  upstream_silent: {
    meaning: 'The stream was opened but sent nothing for too long.',
    retryable: true,
    http: 504,
    hint: 'Usually the provider; another address of the channel is tried where there is one.',
  },
  upstream_reset: {
    meaning: 'The stream broke off.',
    retryable: true,
    http: 502,
    hint: 'It is opened again at once; the gap is in the ledger.',
  },
  upstream_ended: {
    meaning: 'The provider ended a stream that should go on.',
    retryable: true,
    http: 502,
    hint: 'It is opened again at once; the gap is in the ledger.',
  },
  upstream_failing: {
    meaning: 'The stream’s server answered with an error of its own.',
    retryable: true,
    http: 502,
    hint: 'Usually passes; it is tried again, later where the server says when.',
  },
  upstream_busy: {
    meaning: 'The provider asks for fewer requests.',
    retryable: true,
    http: 429,
    hint: 'It is left alone for the time it asks for.',
  },
  upstream_limit: {
    meaning: 'The provider counts too many connections on this account.',
    retryable: true,
    http: 503,
    hint: 'Set --max-concurrency or --provider-max to what the account allows; other players count too.',
  },
  upstream_refused: {
    meaning: 'The provider refuses the stream.',
    retryable: false,
    http: 502,
    hint: 'Look at the status in the ledger: 401 and 403 are the account, 404 and 410 the address.',
  },
  upstream_redirects: {
    meaning: 'The stream redirects without end, or to something that is no HTTP address.',
    retryable: false,
    http: 502,
    hint: 'Open the address in a player; the list may be out of date.',
  },
  upstream_html: {
    meaning: 'A web page answered in place of the stream.',
    retryable: false,
    http: 502,
    hint: 'Open the address in a browser: a login or notice page is the usual cause.',
  },
  upstream_dead: {
    meaning:
      'The stream came, but for 20 s there was nothing in it: padding, scrambled, a clock that stands, a card.',
    retryable: false,
    http: 502,
    hint: 'Another address of the channel is taken; the provider has a fault, or the account has ended.',
  },
  upstream_not_media: {
    meaning: 'What answered is not an MPEG transport stream.',
    retryable: false,
    http: 502,
    hint: 'Open the address in a player; the list may be out of date.',
  },
  hls_unreadable: {
    meaning: 'What answered begins like an HLS playlist and is none of a stream.',
    retryable: true,
    http: 502,
    hint: 'Open the address in a player; a channel list in place of a stream is a usual cause.',
  },
  hls_separate_audio: {
    meaning: 'Every variant of the HLS stream has its sound in a playlist of its own.',
    retryable: false,
    http: 502,
    hint: 'Ask the provider for the MPEG-TS form of the channel (`output=ts`), or add another address of it.',
  },
  hls_encrypted: {
    meaning: 'The HLS stream is encrypted in a way that only licensed players can undo.',
    retryable: false,
    http: 502,
    hint: 'It cannot be recorded; add another address of the channel.',
  },
  container_mismatch: {
    meaning: 'The stream is of another container than the file that was begun: MPEG-TS and fMP4 do not mix.',
    retryable: true,
    http: 502,
    hint: 'Nothing to do: another address of the channel goes on with the file; the next recording may use this one.',
  },
  list_unreadable: {
    meaning: 'The channel list could not be read or fetched.',
    retryable: true,
    http: 502,
    hint: 'Check the path or address and its permissions; the last good list stays in use.',
  },
  state_invalid: {
    meaning: 'A stored recording is not in a state that any chart knows.',
    retryable: false,
    http: 500,
    hint: 'It was put aside in .catchupd/quarantine; its files are untouched. Report it with that file.',
  },
  upstream_gone: {
    meaning: 'The channel or its address is no longer in its list.',
    retryable: true,
    http: 502,
    hint: 'Check the list: the other addresses of the channel are tried meanwhile.',
  },
  token_missing: {
    meaning: 'The request carries no token, and this listener asks for one.',
    retryable: false,
    http: 401,
    hint: 'Send `Authorization: Bearer TOKEN`, or `?token=TOKEN` from a player.',
  },
  token_wrong: {
    meaning: 'The token of the request is not the configured one.',
    retryable: false,
    http: 401,
    hint: 'Compare it with --api-token (or its file) of the running daemon.',
  },
  host_unknown: {
    meaning: 'The request names a host that is not this machine.',
    retryable: false,
    http: 403,
    hint: 'Without a token only localhost is answered. Give --api-token, or name the host in --public-url.',
  },
  forwarded: {
    meaning: 'The request came through a proxy, and no token protects this listener.',
    retryable: false,
    http: 403,
    hint: 'Give --api-token, or --no-auth where the proxy itself asks who it is.',
  },
  origin_foreign: {
    meaning: 'A web page of another site asked for a change.',
    retryable: false,
    http: 403,
    hint: 'Commands come from the dashboard itself, from the command line, or from a client that sends no Origin.',
  },
  recording_unknown: {
    meaning: 'No recording has this id.',
    retryable: false,
    http: 404,
    hint: '`catchupd report --limit 0` lists the ids; the first digits are enough where they fit only one.',
  },
  id_ambiguous: {
    meaning: 'More than one recording has an id that begins so.',
    retryable: false,
    http: 409,
    hint: 'Give more digits.',
  },
  recording_over: {
    meaning: 'The recording is in a state where this command can do nothing.',
    retryable: false,
    http: 409,
    hint: '`cancel` is for what is planned or under way, `retry` for what failed or was cancelled while its programme lasts.',
  },
  recording_aside: {
    meaning: 'The recording was put aside because no chart knows its state; it takes no commands.',
    retryable: false,
    http: 409,
    hint: 'Its files are untouched. Report it with what lies in .catchupd/quarantine.',
  },
  programme_unknown: {
    meaning: 'Neither the guide nor a recording knows this programme.',
    retryable: false,
    http: 404,
    hint: 'Capsule ids are in `catchupd plan --json` and at /api/plan.',
  },
  media_missing: {
    meaning: 'Nothing of this recording can be played (yet).',
    retryable: true,
    http: 404,
    hint: 'It has not begun, brought nothing, or its media was removed.',
  },
  range_invalid: {
    meaning: 'The range that is asked for is not in the file.',
    retryable: true,
    http: 416,
    hint: 'Ask for one range of bytes within the size that Content-Range names.',
  },
  too_many_viewers: {
    meaning: 'As many look on or play at once as are served.',
    retryable: true,
    http: 503,
    hint: 'Close some and try again.',
  },
  daemon_silent: {
    meaning: 'A daemon holds this folder but does not answer.',
    retryable: true,
    http: 504,
    hint: 'Look at its log; `catchupd health` says when it was last alive.',
  },
  not_found: {
    meaning: 'There is nothing at this address.',
    retryable: false,
    http: 404,
    hint: 'The addresses are listed in docs/operations.md.',
  },
  method_not_allowed: {
    meaning: 'This address does not take this method.',
    retryable: false,
    http: 405,
    hint: 'Use one of those that the message names; so does the header Allow.',
  },
  request_invalid: {
    meaning: 'The request cannot be understood.',
    retryable: false,
    http: 400,
    hint: 'The message names the part that is wrong.',
  },
  request_too_large: {
    meaning: 'The request or its headers are larger than anything that is served here needs.',
    retryable: false,
    http: 413,
    hint: 'Send less.',
  },
  request_timeout: {
    meaning: 'The request was not complete in time.',
    retryable: true,
    http: 408,
    hint: 'Send it again.',
  },
  listen_failed: {
    meaning: 'The address to listen on cannot be used.',
    retryable: true,
    http: 500,
    hint: 'Another program (or another catchupd) has the port, or the address is not of this machine: see --listen.',
  },
  listen_open: {
    meaning: 'The listener would be reachable from outside without a token.',
    retryable: false,
    http: 500,
    hint: 'Give --api-token, or --no-auth if anybody may use it.',
  },
  state_missing: {
    meaning: 'There is no state file yet.',
    retryable: true,
    http: 503,
    hint: 'Start `catchupd run` once, or point --out-dir or --state-file at where it works.',
  },
  no_guide: {
    meaning: 'No guide could be loaded, so nothing can be decided.',
    retryable: true,
    http: 503,
    hint: 'Run `catchupd doctor` with the same options: it names the source that fails and why.',
  },
  no_list: {
    meaning: 'No channel list could be loaded, so there is nothing to record from.',
    retryable: true,
    http: 503,
    hint: 'Run `catchupd doctor` with the same options: it names the source that fails and why.',
  },
  source_empty: {
    meaning: 'A list or guide was read and has nothing in it.',
    retryable: true,
    http: 502,
    hint: 'Look at what the address answers; an expired account often gives an empty list.',
  },
  guide_over: {
    meaning: 'All that a guide tells of is over.',
    retryable: true,
    http: 502,
    hint: 'Look at whether what makes the guide still runs: it should tell of today and the days after.',
  },
  nothing_matched: {
    meaning: 'The guide and the channel lists do not know each other.',
    retryable: false,
    http: 502,
    hint: 'Give the list rows the XMLTV ids of the guide (tvg-id), or name pairs in an --aliases file.',
  },
  rules_unreadable: {
    meaning: 'The file of --rules cannot be read or makes no sense, so nothing new is recorded.',
    retryable: true,
    http: 500,
    hint: 'Repair the file; it is read again by itself.',
  },
  hints_unreadable: {
    meaning: 'A file that recommends upstreams (autopilot memory, host policy) makes no sense.',
    retryable: false,
    http: 500,
    hint: 'Check --autopilot-state-file and --host-policy-file; recording goes on without what they say.',
  },
  server_unreachable: {
    meaning: 'No connection to a media server or webhook.',
    retryable: true,
    http: 502,
    hint: 'Check its address and that it runs; what it is owed is kept and delivered when it is back.',
  },
  server_failing: {
    meaning: 'A media server or webhook answered with an error of its own, not in time, or not at all.',
    retryable: true,
    http: 502,
    hint: 'Usually passes: it is tried again, later where it says when. If it stays, look at its own log.',
  },
  server_refused: {
    meaning: 'A media server or webhook refuses our token.',
    retryable: false,
    http: 502,
    hint: 'Give a valid token of an administrator, then reload the configuration (SIGHUP) or restart; what it is owed is kept.',
  },
  server_rejected: {
    meaning: 'A media server or webhook does not take a request.',
    retryable: true,
    http: 502,
    hint: 'Check the address, and that the published folder exists under that path where the server runs (--path-map).',
  },
  server_redirects: {
    meaning: 'A media server or webhook sends us to another host, or nowhere.',
    retryable: true,
    http: 502,
    hint: 'Give the address that it leads to; a token is never carried to another host.',
  },
  command_failed: {
    meaning: 'The program of --on-published failed.',
    retryable: true,
    http: 500,
    hint: 'It is run three times at most for each recording; its own last words are in the log.',
  },
  library_conflict: {
    meaning: 'A library with the lane’s name or folder exists, and cannot be used for the lane.',
    retryable: true,
    http: 409,
    hint: 'Add the folder to it, or rename or remove it; a second one is never made. It goes on by itself then.',
  },
  library_pending: {
    meaning: 'A library was asked for, the answer was lost, and the server does not show it yet.',
    retryable: true,
    http: 503,
    hint: 'It is looked for again soon, and asked for again only if it does not come.',
  },
  library_elsewhere: {
    meaning: 'A published folder is in no library of the media server.',
    retryable: true,
    http: 409,
    hint: 'Say with --path-map how the published folder is called where the server runs.',
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
