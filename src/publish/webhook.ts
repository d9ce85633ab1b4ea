/**
 * A webhook as a receiver: signed JSON for programs, or what ntfy, Discord and Gotify take. The address is a secret as
 * a whole, because services put their key into its path: nothing but its host is ever said.
 */
import { createHmac } from 'node:crypto';
import type { WebhookConfig, WebhookForm } from '../config/config.js';
import type { NoticeRow } from '../domain/outbox.js';
import type { Exchange } from '../io/exchange.js';
import { TransportFault } from '../io/transport.js';
import { textIn } from './answer.js';
import { DONE, type Delivery, type Receiver } from './receiver.js';

const TIMEOUT_MS = 15_000;
const BYTES_MAX = 2 ** 20;
const DISCORD_CHARS_MAX = 1_900;
const RETRY_AFTER_MS_MAX = 3_600_000;
/** What is wrong with the message itself gets no better. */
const HOPELESS: ReadonlySet<number> = new Set([400, 413, 415, 422]);

interface Message {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

type Form = (row: NoticeRow, config: WebhookConfig, deliveryId: string) => Message;

const FORMS: Readonly<Record<WebhookForm, Form>> = {
  json(row, { url, secret, token }, id) {
    const body = JSON.stringify({ id, ...(row.facts as object) });
    const signature = secret === null ? null : createHmac('sha256', secret).update(body).digest('hex');
    return {
      url,
      body,
      headers: {
        'content-type': 'application/json',
        'x-catchupd-event': row.event,
        'x-catchupd-delivery': id,
        ...(signature !== null && { 'x-catchupd-signature': `sha256=${signature}` }),
        ...bearer(token),
      },
    };
  },
  ntfy(row, { url, token }) {
    return {
      url,
      body: wordsOf(row, ''),
      headers: {
        'content-type': 'text/plain; charset=utf-8',
        title: headerText(textIn(row.facts, 'title')),
        priority: isBad(row) ? '4' : '3',
        tags: isBad(row) ? 'warning' : 'tv',
        ...bearer(token),
      },
    };
  },
  discord(row, { url }) {
    const content = Array.from(wordsOf(row, `**${textIn(row.facts, 'title')}**\n`))
      .slice(0, DISCORD_CHARS_MAX)
      .join('');
    // A title must not call everybody to the channel.
    const json = { username: 'catchupd', content, allowed_mentions: { parse: [] } };
    return { url, body: JSON.stringify(json), headers: { 'content-type': 'application/json' } };
  },
  gotify(row, { url, token }) {
    const to = new URL(url);
    if (!to.pathname.endsWith('/message')) to.pathname = `${to.pathname.replace(/\/+$/, '')}/message`;
    const json = {
      title: textIn(row.facts, 'title'),
      message: wordsOf(row, ''),
      priority: isBad(row) ? 7 : 4,
    };
    return {
      url: to.href,
      body: JSON.stringify(json),
      headers: { 'content-type': 'application/json', ...(token !== null && { 'x-gotify-key': token }) },
    };
  },
};

/** `installation` tells deliveries of this catchupd from those of another. */
export function webhookReceiver(config: WebhookConfig, exchange: Exchange, installation: string): Receiver {
  const { host } = new URL(config.url);
  return {
    name: config.name,
    shown: `webhook (${config.form}) at ${host}`,
    async deliver(row, signal) {
      if (row.kind !== 'notice') return DONE;
      const message = FORMS[config.form](row, config, `${installation}-${row.seq}`);
      const { url, headers, body } = message;
      try {
        const answer = await exchange.ask({
          method: 'POST',
          url,
          headers: { 'user-agent': 'catchupd', ...headers },
          body,
          timeoutMs: TIMEOUT_MS,
          bytesMax: BYTES_MAX,
          signal,
        });
        return judged(answer.status, answer.headers['retry-after']);
      } catch (error) {
        if (!(error instanceof TransportFault)) throw error;
        const code = error.kind === 'connect' ? 'server_unreachable' : 'server_failing';
        return { kind: 'failed', code, detail: error.message, retryAfterMs: null };
      }
    },
  };
}

function judged(status: number, retryAfter: string | undefined): Delivery {
  const detail = `it answers ${status}`;
  if (status >= 200 && status < 300) return DONE;
  if (status === 401 || status === 403) return { kind: 'refused', code: 'server_refused', detail };
  if (HOPELESS.has(status)) return { kind: 'dropped', code: 'server_rejected', detail };
  const seconds = Number(retryAfter);
  const retryAfterMs = seconds > 0 ? Math.min(seconds * 1000, RETRY_AFTER_MS_MAX) : null;
  const code =
    status < 400 ? 'server_redirects' : status < 500 && status !== 429 ? 'server_rejected' : 'server_failing';
  return { kind: 'failed', code, detail, retryAfterMs };
}

function isBad({ event }: NoticeRow): boolean {
  return event !== 'published';
}

/** Never empty: services refuse that. */
function wordsOf(row: NoticeRow, before: string): string {
  const text = textIn(row.facts, 'text') || textIn(row.facts, 'title') || row.event;
  return before + text;
}

function bearer(token: string | null): Readonly<Record<string, string>> {
  return token === null ? {} : { authorization: `Bearer ${token}` };
}

/** Headers hold ASCII only; services decode this form (RFC 2047). */
function headerText(text: string): string {
  const plain = text.replace(/\p{C}+/gu, ' ').trim();
  return /^[\x20-\x7e]*$/.test(plain) ? plain : `=?UTF-8?B?${Buffer.from(plain).toString('base64')}?=`;
}
