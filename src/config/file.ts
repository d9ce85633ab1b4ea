/**
 * The config file as texts with the line each one came from. Its keys are the option names; a value is one word, a
 * list, or for per-lane options a map. `${VAR}` is filled in from the environment, `$${` stands for `${`.
 * Messages name file, line and key, never the file's text: it may hold secrets.
 */
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { LIST_KEYS } from './optionRow.js';
import { settableOptions } from './options.js';
import { suggestion } from './suggest.js';

/** A way that something is wrong, and where it was written. */
export interface Problem {
  readonly origin: string;
  readonly message: string;
}

export interface Setting {
  readonly texts: readonly string[];
  readonly origin: string;
}

/** A value of YAML with every scalar as it was written. */
export type Plain = string | null | readonly Plain[] | { readonly [key: string]: Plain };

export interface PlainSetting {
  readonly value: Plain;
  readonly origin: string;
}

export interface FileSettings {
  /** Lists of objects, by key. */
  readonly lists: ReadonlyMap<string, PlainSetting>;
  readonly settings: ReadonlyMap<string, Setting>;
  readonly problems: readonly Problem[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/** `name` is how messages call the file. */
export function readSettings(text: string, name: string, env: Environment): FileSettings {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const settings = new Map<string, Setting>();
  const lists = new Map<string, PlainSetting>();
  const problems: Problem[] = document.errors.map((error) => ({
    origin: `${name}:${lines.linePos(error.pos[0]).line}`,
    message: `this is no valid YAML (${error.code.toLowerCase().replaceAll('_', ' ')})`,
  }));
  if (problems.length > 0) return { settings, lists, problems };
  const root = document.contents;
  if (root === null || (isScalar(root) && root.value === null)) return { settings, lists, problems };
  if (!isMap(root)) {
    return {
      settings,
      lists,
      problems: [{ origin: `${name}:1`, message: 'a config file is a map of option names to values' }],
    };
  }

  const known = new Set([...LIST_KEYS, ...settableOptions().map((row) => row.name)]);
  for (const pair of root.items) {
    const keyNode = pair.key;
    const key = isScalar(keyNode) ? String(keyNode.value) : '';
    const at = isScalar(keyNode) && keyNode.range ? lines.linePos(keyNode.range[0]).line : 1;
    const origin = `${name}:${at} ${key}`;
    if (!known.has(key)) {
      problems.push({ origin, message: `unknown key${suggestion(key.replaceAll('_', '-'), known)}` });
      continue;
    }
    try {
      if ((LIST_KEYS as readonly string[]).includes(key)) {
        lists.set(key, { value: plainOf(document, pair.value, env), origin });
        continue;
      }
      const texts = textsOf(document, pair.value).map((value) => filled(value, env));
      if (texts.length > 0) settings.set(key, { texts, origin });
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      problems.push({ origin, message: error.message });
    }
  }
  return { settings, lists, problems };
}

class Unreadable extends Error {}

/** None for `key:` with nothing behind it, which is as good as absent. */
function textsOf(document: Document, node: unknown): string[] {
  if (isAlias(node)) return textsOf(document, node.resolve(document));
  if (node === null || node === undefined) return [];
  if (isScalar(node)) return node.value === null ? [] : [scalarText(node)];
  if (isSeq(node)) return node.items.flatMap((item) => textsOf(document, item));
  if (isMap(node)) {
    const entries = node.items.map(
      (pair) => `${oneText(document, pair.key)}=${oneText(document, pair.value)}`,
    );
    return [entries.join(',')];
  }
  throw new Unreadable('is neither a value, nor a list, nor a map');
}

function plainOf(document: Document, node: unknown, env: Environment): Plain {
  if (isAlias(node)) return plainOf(document, node.resolve(document), env);
  if (isSeq(node)) return node.items.map((item) => plainOf(document, item, env));
  if (isMap(node)) {
    const entries = node.items.map(({ key, value }) => [
      oneText(document, key),
      plainOf(document, value, env),
    ]);
    return Object.fromEntries(entries) as Plain;
  }
  if (node === null || node === undefined) return null;
  if (isScalar(node)) return node.value === null ? null : filled(scalarText(node), env);
  throw new Unreadable('is neither a value, nor a list, nor a map');
}

function oneText(document: Document, node: unknown): string {
  const texts = textsOf(document, node);
  const text = texts[0];
  if (texts.length !== 1 || text === undefined) throw new Unreadable('a map holds one value a lane');
  return text;
}

/** As written, because 0022 is a mask and 8998 a port, whatever number YAML makes of them. */
function scalarText(node: Node & { value: unknown; source?: string }): string {
  if (typeof node.value === 'string') return node.value;
  return node.source ?? String(node.value);
}

/** A variable that is not set is an error: an empty password must not be sent in silence. */
function filled(text: string, env: Environment): string {
  return text.replace(/\$(\$)?\{([^}]*)\}/g, (whole, escaped: string | undefined, name: string) => {
    if (escaped !== undefined) return whole.slice(1);
    const value = env[name.trim()];
    if (value === undefined) throw new Unreadable(`\${${name}} is not set in the environment`);
    return value;
  });
}
