/** Answers held against the document that the daemon itself gives out (`/api/openapi.json`). */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

interface Operation {
  readonly responses: Readonly<
    Record<string, { readonly content: Readonly<Record<string, { readonly schema?: object }>> }>
  >;
}

interface Stated {
  /** `GET /api/plan`, …: everything that there is. */
  readonly operations: readonly string[];
  /** What is wrong with this answer to this operation, by the document; empty where nothing is. */
  check(operation: string, answer: Response): Promise<string[]>;
  /** Operations with the statuses that they were seen to answer with, as `GET /api/plan 200`. */
  readonly seen: ReadonlySet<string>;
}

export async function statedBy(base: string): Promise<Stated> {
  const document = (await (await fetch(`${base}/api/openapi.json`)).json()) as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
    readonly components: object;
  };
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  const seen = new Set<string>();
  const validators = new Map<string, ValidateFunction>();
  return {
    operations: Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    ),
    seen,
    async check(operation, answer) {
      const [method = '', path = ''] = operation.split(' ');
      const { responses } = document.paths[path]?.[method.toLowerCase()] ?? { responses: {} };
      const status = String(answer.status);
      seen.add(`${operation} ${status}`);
      const key = responses[status] ? status : 'default';
      const type = (answer.headers.get('content-type') ?? '').split(';')[0] ?? '';
      const content = responses[key]?.content ?? {};
      if (!(type in content)) return [`${status} comes as ${type}, not as ${Object.keys(content).join()}`];
      if (type === 'text/event-stream') {
        await answer.body?.cancel();
        return [];
      }
      const text = await answer.text();
      if (type !== 'application/json') return [];
      // References are to the components of the document.
      const schema = { components: document.components, ...content[type]?.schema };
      const validate = validators.get(`${operation} ${key}`) ?? ajv.compile(schema);
      validators.set(`${operation} ${key}`, validate);
      if (validate(JSON.parse(text))) return [];
      return (validate.errors ?? []).map(
        ({ instancePath, message, params }) => `${instancePath} ${message ?? ''} ${JSON.stringify(params)}`,
      );
    },
  };
}
