/** The daemon's HTTP door as the page uses it: relative addresses, so that any sub-path works, and one error shape. */

const query = new URLSearchParams(location.search);
const token = query.get('token');

export class ApiError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly hint: string,
  ) {
    super(message);
  }
}

/** `path` without a slash at its beginning. */
export async function ask<T>(path: string, method: 'GET' | 'POST' = 'GET'): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers: token === null ? {} : { authorization: `Bearer ${token}` },
    });
  } catch {
    throw new ApiError(
      'unreachable',
      'The recorder does not answer.',
      'Is it running? It is asked again by itself.',
    );
  }
  const body = (await response.json().catch(() => null)) as
    (T & { error?: { code: string; message: string; hint: string } }) | null;
  if (response.ok && body !== null) return body;
  const error = body?.error;
  throw new ApiError(
    error?.code ?? String(response.status),
    error?.message ?? 'The answer makes no sense.',
    error?.hint ?? '',
  );
}

/** For what cannot send headers: media, event sources, links. */
export function withToken(path: string): string {
  if (token === null) return path;
  return `${path}${path.includes('?') ? '&' : '?'}token=${encodeURIComponent(token)}`;
}

export function command(
  id: string,
  verb: 'keep' | 'unkeep' | 'cancel' | 'retry' | 'delete',
): Promise<unknown> {
  return ask(`api/recordings/${id}/${verb}`, 'POST');
}

export function say(capsuleId: string, word: 'want' | 'skip' | 'forget'): Promise<unknown> {
  return ask(`api/programmes/${encodeURIComponent(capsuleId)}/${word}`, 'POST');
}
