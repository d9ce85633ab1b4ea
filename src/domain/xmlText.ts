/** Elements of the small XML files that media servers read. Text of a guide is escaped and freed of what XML cannot hold. */

/** Control characters, halves of surrogate pairs and non-characters make a document that no parser reads. */
const FORBIDDEN = /[^\t\n\r\u{20}-\u{7E}\u{A0}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu;

/** A line of its own; '' where there is nothing to say. `attributes` begins with a blank. */
export function element(name: string, text: string, attributes = ''): string {
  const content = xmlText(clean(text));
  return content === '' ? '' : `  <${name}${attributes}>${content}</${name}>\n`;
}

export function documentOf(root: string, elements: readonly string[]): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}>\n${elements.join('')}</${root}>\n`;
}

export function clean(text: string): string {
  return text.replace(FORBIDDEN, '').trim();
}

function xmlText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
