/**
 * Where the states of a chart are drawn: states of one level in columns by how far they are from where it begins,
 * children inside of their parents. Pure; the drawing is in chartDrawing.tsx.
 */

import type { Charts } from './answers.js';

export type Chart = Charts['charts'][number];

interface ChartNode {
  readonly path: string;
  readonly label: string;
  readonly initial: boolean;
  readonly children: readonly ChartNode[];
}

export interface Box {
  readonly path: string;
  readonly label: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly isParent: boolean;
}

export interface Line {
  readonly from: string;
  readonly to: string;
  readonly events: readonly string[];
  readonly d: string;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly Box[];
  readonly lines: readonly Line[];
}

const STATE = { width: 132, height: 34 };
const GAP = { x: 56, y: 18 };
const PAD = { x: 12, top: 30, bottom: 12 };
const MARGIN = 16;

export function layoutOf(chart: Chart): Layout {
  const edges = chart.edges.filter(({ from, to }) => from !== to && from !== '' && to !== '');
  const { root } = chart;
  const boxes: Box[] = [];
  const size = place(root.children, MARGIN, MARGIN, edges, boxes);
  const byPath = new Map(boxes.map((box) => [box.path, box]));
  const bundles = new Map<string, { from: string; to: string; events: string[] }>();
  for (const { from, to, event } of edges) {
    const key = `${from} ${to}`;
    const bundle = bundles.get(key) ?? { from, to, events: [] };
    if (!bundle.events.includes(event)) bundle.events.push(event);
    bundles.set(key, bundle);
  }
  const lines = [...bundles.values()].flatMap((bundle, index) => {
    const from = byPath.get(bundle.from);
    const to = byPath.get(bundle.to);
    return from && to && !isInside(bundle.from, bundle.to) && !isInside(bundle.to, bundle.from)
      ? [{ ...bundle, d: curve(from, to, index) }]
      : [];
  });
  return { width: size.width + 2 * MARGIN, height: size.height + 2 * MARGIN, boxes, lines };
}

function isInside(path: string, parent: string): boolean {
  return path.startsWith(`${parent}.`);
}

/** Puts states side by side in columns; gives back what they take. */
function place(
  nodes: readonly ChartNode[],
  x: number,
  y: number,
  edges: Chart['edges'],
  boxes: Box[],
): { width: number; height: number } {
  const ranks = rankOf(nodes, edges);
  const columns = Math.max(0, ...ranks.values()) + 1;
  let left = x;
  let tallest = 0;
  for (let column = 0; column < columns; column += 1) {
    let top = y;
    let widest = 0;
    for (const node of nodes.filter(({ path }) => ranks.get(path) === column)) {
      const mark = boxes.length;
      const inner =
        node.children.length === 0 ? null : stack(node.children, left + PAD.x, top + PAD.top, edges, boxes);
      const width = inner ? inner.width + 2 * PAD.x : STATE.width;
      const height = inner ? inner.height + PAD.top + PAD.bottom : STATE.height;
      const { path, label } = node;
      boxes.splice(mark, 0, { path, label, x: left, y: top, width, height, isParent: inner !== null });
      top += height + GAP.y;
      widest = Math.max(widest, width);
    }
    tallest = Math.max(tallest, top - GAP.y - y);
    left += widest + GAP.x;
  }
  return { width: left - GAP.x - x, height: tallest };
}

/** Children stand below each other. */
function stack(
  nodes: readonly ChartNode[],
  x: number,
  y: number,
  edges: Chart['edges'],
  boxes: Box[],
): { width: number; height: number } {
  let top = y;
  let widest = 0;
  for (const node of nodes) {
    const size = place([node], x, top, edges, boxes);
    top += size.height + GAP.y / 2;
    widest = Math.max(widest, size.width);
  }
  return { width: widest, height: top - GAP.y / 2 - y };
}

/** How many steps each is from where it begins, as the crow flies. */
function rankOf(nodes: readonly ChartNode[], edges: Chart['edges']): Map<string, number> {
  const owner = (path: string) => nodes.find((node) => path === node.path || isInside(path, node.path))?.path;
  const ranks = new Map<string, number>();
  let wave = nodes.filter(({ initial }) => initial).map(({ path }) => path);
  if (wave.length === 0 && nodes[0]) wave = [nodes[0].path];
  for (let rank = 0; wave.length > 0; rank += 1) {
    const next = new Set<string>();
    for (const path of wave) if (!ranks.has(path)) ranks.set(path, rank);
    for (const { from, to } of edges) {
      const [source, target] = [owner(from), owner(to)];
      if (source && target && wave.includes(source) && !ranks.has(target)) next.add(target);
    }
    wave = [...next];
  }
  const last = Math.max(0, ...ranks.values());
  for (const { path } of nodes) if (!ranks.has(path)) ranks.set(path, last);
  return ranks;
}

function curve(from: Box, to: Box, index: number): string {
  const shift = ((index % 5) - 2) * 4;
  const fromY = from.y + (from.isParent ? 15 : from.height / 2) + shift;
  const toY = to.y + (to.isParent ? 15 : to.height / 2) + shift;
  const rightwards = to.x >= from.x + from.width - 1;
  const leftwards = to.x + to.width <= from.x + 1;
  if (rightwards) return bezier(from.x + from.width, fromY, to.x, toY, 1);
  if (leftwards) return bezier(from.x, fromY, to.x + to.width, toY, -1);
  const side = Math.max(from.x + from.width, to.x + to.width) + 18 + (index % 4) * 6;
  return `M${from.x + from.width},${fromY} C${side},${fromY} ${side},${toY} ${to.x + to.width},${toY}`;
}

function bezier(x1: number, y1: number, x2: number, y2: number, direction: 1 | -1): string {
  const reach = Math.max(24, Math.abs(x2 - x1) / 2) * direction;
  return `M${x1},${y1} C${x1 + reach},${y1} ${x2 - reach},${y2} ${x2},${y2}`;
}
