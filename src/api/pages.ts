/**
 * The dashboard's files, read once when the door opens and found by their exact names: no request ever names a path.
 * The frame of the page is public code; what it shows is asked for under the same access rules as everything else.
 */

import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { z } from 'zod';
import { CodedError } from '../domain/errors.js';
import { route, type Route } from './route.js';

export interface Pages {
  readonly index: Buffer | null;
  /** By name. */
  readonly assets: ReadonlyMap<string, { readonly type: string; readonly body: Buffer }>;
}

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
};
const HTML = 'text/html; charset=utf-8';

/** Nothing comes from elsewhere, nothing goes elsewhere, and nobody frames it. */
const POLICY = [
  "default-src 'self'",
  "img-src 'self' data: blob:",
  "media-src 'self' blob:",
  "style-src 'self' 'unsafe-inline'",
  "worker-src 'self' blob:",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

/** `folder` is dist/web; where the dashboard was not built there is none. */
export async function loadPages(folder: string | null): Promise<Pages> {
  const assets = new Map<string, { type: string; body: Buffer }>();
  if (folder === null) return { index: null, assets };
  const index = await readFile(join(folder, 'index.html')).catch(() => null);
  const names = index === null ? [] : await readdir(join(folder, 'assets')).catch(() => []);
  for (const name of names) {
    const type = TYPES[extname(name)];
    if (type) assets.set(name, { type, body: await readFile(join(folder, 'assets', name)) });
  }
  return { index, assets };
}

export function pageRoutes(pages: Pages): Route[] {
  const page = (path: string, summary: string) =>
    route({
      path,
      summary,
      answer: HTML,
      answers({ reply }) {
        if (pages.index === null)
          throw new CodedError(
            'not_found',
            'The dashboard is not part of this build (npm ci --include=dev).',
          );
        reply.type(HTML).header('content-security-policy', POLICY).header('referrer-policy', 'no-referrer');
        return pages.index;
      },
    });
  return [
    page('/', 'the dashboard'),
    page('/inspect', 'the dashboard, at the charts'),
    route({
      path: '/assets/:name',
      summary: 'code and style of the dashboard',
      params: z.object({ name: z.string().max(200) }),
      answer: 'text/javascript',
      open: true,
      answers({ params, reply }) {
        const asset = pages.assets.get(params.name);
        if (!asset) throw new CodedError('not_found', '');
        // Names carry a digest of the content.
        reply.type(asset.type).header('cache-control', 'public, max-age=31536000, immutable');
        return asset.body;
      },
    }),
  ];
}

/** Where a browser asks for a page and shows no token: a place to type it. */
export const TOKEN_PAGE = {
  type: HTML,
  policy: POLICY,
  body: `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>catchupd</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:24rem;margin:20vh auto;padding:0 1rem}input,button{font:inherit;padding:.5rem;width:100%;box-sizing:border-box;margin-top:.5rem}</style>
<h1>catchupd</h1>
<form method="get"><label>Token (<code>--api-token</code>)<input name="token" type="password" autocomplete="current-password" required autofocus></label><button>Open</button></form>
</html>
`,
} as const;
