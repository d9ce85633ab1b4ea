/**
 * The charts as graphs to be drawn, and the past of a recording as it went through one. `@xstate/graph` is imported
 * here alone.
 */

import { toDirectedGraph, type DirectedGraphNode } from '@xstate/graph';
import { transition, type AnyStateMachine } from 'xstate';
import { guideMachine } from '../../machines/guide.js';
import { libraryMachine } from '../../machines/library.js';
import { recordingMachine } from '../../machines/recording.js';
import { schedulerMachine } from '../../machines/scheduler.js';
import { timeMs } from '../domain/sidecar.js';
import type { NumberedEntry } from '../store/historyLine.js';
import { statePath } from './entries.js';
import { inert } from './recover.js';

const CHARTS: Readonly<Record<string, AnyStateMachine>> = {
  recording: recordingMachine,
  guide: guideMachine,
  scheduler: schedulerMachine,
  library: libraryMachine,
};

export interface ChartNode {
  /** Dotted path; '' is the chart itself. */
  readonly path: string;
  readonly label: string;
  readonly initial: boolean;
  readonly children: readonly ChartNode[];
}

export interface ChartEdge {
  readonly from: string;
  readonly to: string;
  readonly event: string;
}

export function chartsView() {
  return {
    charts: Object.entries(CHARTS).map(([kind, machine]) => {
      const graph = toDirectedGraph(machine as never);
      return { kind, root: nodeOf(graph, machine), edges: edgesOf(graph) };
    }),
  };
}

function nodeOf(node: DirectedGraphNode, machine: AnyStateMachine, isInitial = false): ChartNode {
  const path = pathOf(node.id, machine.id);
  const { stateNode } = node;
  const first = stateNode.initial?.target?.[0]?.key;
  return {
    path,
    label: stateNode.key,
    initial: isInitial,
    children: node.children.map((child) => nodeOf(child, machine, child.stateNode.key === first)),
  };
}

function edgesOf(node: DirectedGraphNode): ChartEdge[] {
  const root = node.stateNode.machine.id;
  const own = node.edges.map((edge) => ({
    from: pathOf(edge.source.id, root),
    to: pathOf(edge.target.id, root),
    event: edge.label.text,
  }));
  return [...own, ...node.children.flatMap(edgesOf)];
}

function pathOf(id: string, root: string): string {
  return id === root ? '' : id.slice(root.length + 1);
}

export interface PastStep {
  readonly at: string;
  readonly event: string;
  /** Where it was afterwards; null where the chart of today cannot tell. */
  readonly state: string | null;
}

/** Every event of a recording, oldest first, folded through the chart from the last known state before it. */
export function pastOf(entries: readonly NumberedEntry[]): PastStep[] {
  let snapshot: ReturnType<typeof inert> | null = null;
  return entries.map(({ at, type, snapshot: stored, event }) => {
    try {
      if (type === 'baseline') snapshot = inert(stored);
      else if (snapshot) [snapshot] = transition(recordingMachine, snapshot, event as never);
    } catch {
      snapshot = null;
    }
    const name = type === 'baseline' ? 'begins' : ((event as { type?: string } | undefined)?.type ?? '');
    return { at: timeMs(at), event: name, state: snapshot && statePath(snapshot.value) };
  });
}
