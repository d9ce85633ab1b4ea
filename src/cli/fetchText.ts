/** A small text by HTTP. */

import { readBody, type Transport } from '../io/transport.js';

const BYTES_MAX = 2 ** 20;
const TIMEOUT_MS = 10_000;

/** Rejects with TransportFault. */
export async function fetchText(transport: Transport, url: string): Promise<string> {
  const response = await transport.open(url, { headersTimeoutMs: TIMEOUT_MS });
  return (await readBody(response.body, BYTES_MAX)).toString();
}
