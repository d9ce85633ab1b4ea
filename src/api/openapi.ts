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

/** Shapes that have a name, as they are come upon. */
type Named = Record<string, object>;

export function openApiOf(routes: readonly Route[], version: string): object {
  const schemas: Named = {};
  schemaOf(errorBody, schemas);
  const paths: Record<string, Record<string, object>> = {};
  for (const each of routes) {
    const path = each.path.replace(/:(\w+)/g, '{$1}').replace('/*', '/{path}');
    paths[path] = { ...paths[path], [each.method.toLowerCase()]: operationOf(each, schemas) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'catchupd', version, description: 'An always-on catch-up recorder for live IPTV.' },
    // Relative, so that it holds under any sub-path.
    servers: [{ url: '..' }],
    paths,
    components: {
      schemas,
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        query: { type: 'apiKey', in: 'query', name: 'token' },
      },
    },
  };
}

function operationOf(route: Route, schemas: Named): object {
  const parameters = [...fieldsOf(route.params, 'path', schemas), ...fieldsOf(route.query, 'query', schemas)];
  const content =
    typeof route.answer === 'string'
      ? { [route.answer.split(';')[0] ?? '']: {} }
      : { 'application/json': { schema: schemaOf(route.answer, schemas) } };
  const answers = route.statuses.map((status) => [
    status,
    { description: status < 300 ? 'done' : 'not so', content },
  ]);
  return {
    summary: route.summary,
    ...(parameters.length > 0 && { parameters }),
    security: route.open ? [] : [{}, { bearer: [] }, { query: [] }],
    responses: { ...errorsOf(route), ...(Object.fromEntries(answers) as object) },
  };
}

function errorsOf({ errors, open }: Route): Record<string, object> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of [...(open ? [] : ALWAYS), ...errors])
    byStatus.set(ERRORS[code].http, [...(byStatus.get(ERRORS[code].http) ?? []), code]);
  const answer = (description: string) => ({
    description,
    content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
  });
  return {
    ...Object.fromEntries([...byStatus].map(([status, codes]) => [status, answer(codes.join(', '))])),
    default: answer('whatever else is wrong: the code says what'),
  };
}

function fieldsOf(shape: z.ZodObject, place: 'path' | 'query', schemas: Named): object[] {
  return Object.entries(shape.shape).map(([name, field]) => ({
    name,
    in: place,
    required: place === 'path',
    schema: schemaOf(field as z.ZodType, schemas, 'input'),
  }));
}

/**
 * OpenAPI 3.1 speaks JSON Schema as it is, but for one thing: what has a name stands among the components of the
 * document, not beside the one that uses it.
 */
function schemaOf(shape: z.ZodType, schemas: Named, io: 'input' | 'output' = 'output'): object {
  const made = z.toJSONSchema(shape, { io, unrepresentable: 'any', reused: 'inline' });
  const text = JSON.stringify(made).replaceAll('"#/$defs/', '"#/components/schemas/');
  const { $schema: _, $defs, ...schema } = JSON.parse(text) as Named & { $defs?: Named };
  Object.assign(schemas, $defs);
  return schema;
}
