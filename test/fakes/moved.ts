/** A server that moved from http to https: every call is sent on to the secure address, which asks the one behind it. */
import { createServer, request as ask } from 'node:http';
import { createServer as createSecure } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface MovedServer {
  /** The old address. */
  readonly url: string;
  /** Calls that came over TLS. */
  readonly secure: () => number;
  close(): Promise<void>;
}

export async function startMoved(
  behind: string,
  certificate: { readonly cert: string; readonly key: string },
): Promise<MovedServer> {
  let calls = 0;
  const secure = createSecure(certificate, (request, response) => {
    calls += 1;
    const { method, headers, url = '/' } = request;
    const onward = ask(new URL(url, behind), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  const portOf = (server: Pick<typeof secure, 'address'>) => (server.address() as AddressInfo).port;
  await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
  const to = `https://127.0.0.1:${portOf(secure)}`;
  const old = createServer((request, response) => {
    request.resume();
    response.writeHead(308, { location: `${to}${request.url ?? '/'}` }).end();
  });
  await new Promise<void>((resolve) => old.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${portOf(old)}`,
    secure: () => calls,
    async close() {
      for (const server of [old, secure]) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
}
