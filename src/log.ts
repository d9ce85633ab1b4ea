/** The one logger: pino on stderr. Never given a URL that was not redacted, never a token. */
import type { Logger } from 'pino';

export type Log = Logger;
