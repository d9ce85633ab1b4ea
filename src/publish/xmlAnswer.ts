/** An XML answer as the record that the same answer in JSON would be: attributes as texts, children as lists. */
import { SaxesParser } from 'saxes';

export interface XmlAnswer {
  readonly name: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

interface Open {
  readonly name: string;
  readonly fields: Record<string, unknown>;
}

/** Null for what is no XML. */
export function readXml(text: string): XmlAnswer | null {
  const open: Open[] = [];
  let root: Open | null = null;
  let broken = false;
  const parser = new SaxesParser();
  parser.on('error', () => void (broken = true));
  parser.on('opentag', ({ name, attributes }) => {
    const node: Open = { name, fields: { ...attributes } };
    const parent = open.at(-1);
    if (parent) {
      const known = parent.fields[name];
      parent.fields[name] = Array.isArray(known) ? [...(known as unknown[]), node.fields] : [node.fields];
    }
    root ??= node;
    open.push(node);
  });
  parser.on('closetag', () => void open.pop());
  parser.write(text).close();
  return broken ? null : root;
}
