/** The OpenAPI document, made from the list of routes. */

import { z } from 'zod';
import { ERRORS, type ErrorCode } from '../domain/errors.js';
import type { Route } from './route.js';
import { errorBody } from './shapes.js';

/** What any address may answer with. */
const ALWAYS: readonly ErrorCode[] = [
  'request_invalid',
  'token_missing',
  'token_wrong',
  'host_unknown',
  'forwarded',
];

export function openApiOf(routes: readonly Route[], version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const each of routes) {
    const path = each.path.replace(/:(\w+)/g, '{$1}').replace('/*', '/{path}');
    paths[path] = { ...paths[path], [each.method.toLowerCase()]: operationOf(each) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'catchupd', version, description: 'An always-on catch-up recorder for live IPTV.' },
    // Relative, so that it holds under any sub-path.
    servers: [{ url: '..' }],
    paths,
    components: {
      schemas: { Error: schemaOf(errorBody) },
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        query: { type: 'apiKey', in: 'query', name: 'token' },
      },
    },
  };
}

function operationOf(route: Route): object {
  const parameters = [...fieldsOf(route.params, 'path'), ...fieldsOf(route.query, 'query')];
  const content =
    typeof route.answer === 'string'
      ? { [route.answer]: {} }
      : { 'application/json': { schema: schemaOf(route.answer) } };
  return {
    summary: route.summary,
    ...(parameters.length > 0 && { parameters }),
    security: route.open ? [] : [{}, { bearer: [] }, { query: [] }],
    responses: { 200: { description: 'done', content }, ...errorsOf(route) },
  };
}

function errorsOf({ errors, open }: Route): Record<string, object> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of [...(open ? [] : ALWAYS), ...errors])
    byStatus.set(ERRORS[code].http, [...(byStatus.get(ERRORS[code].http) ?? []), code]);
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      status,
      {
        description: codes.join(', '),
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    ]),
  );
}

function fieldsOf(shape: z.ZodObject, place: 'path' | 'query'): object[] {
  return Object.entries(shape.shape).map(([name, field]) => ({
    name,
    in: place,
    required: place === 'path',
    schema: schemaOf(field as z.ZodType, 'input'),
  }));
}

/** OpenAPI 3.1 speaks JSON Schema as it is. */
function schemaOf(shape: z.ZodType, io: 'input' | 'output' = 'output'): object {
  const { $schema: _, ...schema } = z.toJSONSchema(shape, { io, unrepresentable: 'any', reused: 'inline' });
  return schema;
}
