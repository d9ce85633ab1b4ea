/** A chart as a page: a mermaid diagram and a table of its transitions, from the chart itself. */
import type { AnyStateNode, AnyTransitionDefinition } from 'xstate';
import type { Chart } from './charts.js';

export const TRANSITIONS = ['state', 'event', 'guard', 'goes to', 'does'] as const;

interface Edge {
  readonly from: AnyStateNode;
  readonly event: string;
  readonly edge: AnyTransitionDefinition;
}

export function diagramOf({ machine }: Chart): string {
  const lines = ['stateDiagram-v2'];
  const draw = (node: AnyStateNode, indent: string) => {
    const children = Object.values(node.states);
    if (children.length === 0) return;
    const initial = Object.values(node.states).find(({ key }) => key === node.config.initial);
    if (initial) lines.push(`${indent}[*] --> ${idOf(initial)}`);
    for (const child of children) {
      lines.push(`${indent}state "${child.key}" as ${idOf(child)}`);
      if (Object.keys(child.states).length === 0) continue;
      lines.push(`${indent}state ${idOf(child)} {`);
      draw(child, `${indent}  `);
      lines.push(`${indent}}`);
    }
  };
  draw(machine.root, '  ');
  const arrows = new Map<string, Set<string>>();
  for (const { from, event, edge } of edges(machine.root)) {
    if (from === machine.root) continue;
    for (const target of edge.target ?? []) {
      const arrow = `${idOf(from)} --> ${idOf(target)}`;
      arrows.set(arrow, (arrows.get(arrow) ?? new Set()).add(event));
    }
  }
  for (const [arrow, events] of arrows) lines.push(`  ${arrow} : ${[...events].join(', ')}`);
  return lines.join('\n');
}

export function transitionsOf({ machine }: Chart): string[][] {
  return edges(machine.root).map(({ from, event, edge }) => [
    code(pathOf(from)),
    code(event),
    code(nameOf(edge.guard)),
    (edge.target ?? []).map((target) => code(pathOf(target))).join(' '),
    edge.actions
      .map(nameOf)
      .filter((name) => name !== '')
      .map(code)
      .join(' '),
  ]);
}

/** What is done on the way in, and which effect runs meanwhile. */
export function statesOf({ machine }: Chart): string[][] {
  const rows: string[][] = [];
  const visit = (node: AnyStateNode) => {
    const entry = node.entry.map(nameOf).filter((name) => name !== '');
    const effects = node.invoke.map(({ id }) => id);
    rows.push([code(pathOf(node)), entry.map(code).join(' '), effects.map(code).join(' ')]);
    Object.values(node.states).forEach(visit);
  };
  Object.values(machine.root.states).forEach(visit);
  return rows;
}

function edges(node: AnyStateNode): Edge[] {
  const own: Edge[] = [
    ...(node.always ?? []).map((edge) => ({ from: node, event: 'always', edge })),
    ...[...node.transitions].flatMap(([event, list]) =>
      list.map((edge) => ({ from: node, event: shown(event), edge })),
    ),
  ];
  return [...own, ...Object.values(node.states).flatMap(edges)];
}

function shown(event: string): string {
  return event
    .replace(/^xstate\.done\.actor\.(\w+)$/, 'done $1')
    .replace(/^xstate\.error\.actor\.\*$/, 'death');
}

function pathOf(node: AnyStateNode): string {
  return node.path.length === 0 ? 'anywhere' : node.path.join('.');
}

function idOf(node: AnyStateNode): string {
  return node.path.join('_');
}

/** Named parts are shown with what they are told; those written in place have no name. */
function nameOf(part: unknown): string {
  if (typeof part === 'string') return part;
  if (typeof part === 'function') return 'type' in part || part.name === '' ? '' : 'by outcome';
  const { type, params } = (part ?? {}) as { type?: string; params?: unknown };
  if (type === undefined) return '';
  return typeof params === 'string' || typeof params === 'boolean' ? `${type} ${params}` : type;
}

function code(text: string): string {
  return text === '' ? '' : `\`${text}\``;
}
