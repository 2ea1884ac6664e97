/** Owns Placed: a laid-out view with quick answers to "what stands in this window". */
import type { FlowEdge } from './FlowEdge.tsx';
import type { GraphView } from './graph-view.ts';
import type { FlowNode } from './LayerNode.tsx';
import type { LayoutResult } from './layout.ts';

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Placed {
  readonly view: GraphView;
  readonly place: LayoutResult;
  readonly bounds: Box;
  /** Nodes and edges that touch the window, with the ends of those edges. */
  within(window: Box): { readonly nodes: FlowNode[]; readonly edges: FlowEdge[] };
  /** Indices of the nodes that touch the window. */
  nodesIn(window: Box): readonly number[];
  boxOf(index: number): Box;
}

const band = 800;
const handle = (type: 'source' | 'target', x: number, y: number) =>
  ({ type, position: type === 'source' ? 'bottom' : 'top', x, y, width: 1, height: 1 }) as const;

/** Spatial index by bands of height; React elements of a node are made once, when it first comes into sight. */
export function placed(view: GraphView, place: LayoutResult): Placed {
  const { corners, offsets, points } = place;
  const boxOf = (i: number): Box => ({
    x: corners[2 * i] ?? 0,
    y: corners[2 * i + 1] ?? 0,
    width: view.nodes[i]?.width ?? 0,
    height: view.nodes[i]?.height ?? 0,
  });
  let right = 0;
  let bottom = 0;
  const nodeBands: number[][] = [];
  const edgeBands: number[][] = [];
  const put = (bands: number[][], from: number, to: number, item: number): void => {
    for (let b = Math.max(0, Math.floor(from / band)); b <= Math.floor(to / band); b++) {
      bands[b] ??= [];
      bands[b]?.push(item);
    }
  };
  for (let i = 0; i < view.nodes.length; i++) {
    const box = boxOf(i);
    right = Math.max(right, box.x + box.width);
    bottom = Math.max(bottom, box.y + box.height);
    put(nodeBands, box.y, box.y + box.height, i);
  }
  for (let e = 0; e < view.edges.length; e++) {
    const first = offsets[e] ?? 0;
    const last = (offsets[e + 1] ?? 0) - 1;
    for (let i = first; i < last; i += 2) right = Math.max(right, points[i] ?? 0);
    put(edgeBands, points[first + 1] ?? 0, points[last] ?? 0, e);
  }
  const nodes = new Map<number, FlowNode>();
  const edges = new Map<number, FlowEdge>();
  const node = (i: number): FlowNode => {
    let made = nodes.get(i);
    const v = view.nodes[i];
    if (made === undefined && v !== undefined) {
      const box = boxOf(i);
      made = {
        id: v.id,
        type: 'layer',
        position: { x: box.x, y: box.y },
        data: { view: v },
        width: box.width,
        height: box.height,
        measured: { width: box.width, height: box.height },
        handles: [handle('target', box.width / 2, 0), handle('source', box.width / 2, box.height)] as never,
        draggable: false,
        connectable: false,
        focusable: false,
        selectable: true,
      };
      nodes.set(i, made);
    }
    return made as FlowNode;
  };
  const edge = (e: number): FlowEdge => {
    let made = edges.get(e);
    const v = view.edges[e];
    if (made === undefined && v !== undefined) {
      const source = view.nodes[v.source];
      const target = view.nodes[v.target];
      if (source !== undefined && target !== undefined)
        made = {
          id: `e${e}`,
          type: 'value',
          source: source.id,
          target: target.id,
          focusable: false,
          selectable: false,
          data: {
            points: points.subarray(offsets[e] ?? 0, offsets[e + 1] ?? 0),
            source,
            value: v.value,
            labelled: view.outgoing[v.source]?.find((k) => view.edges[k]?.value === v.value) === e,
          },
        };
      if (made !== undefined) edges.set(e, made);
    }
    return made as FlowEdge;
  };
  const candidates = (bands: number[][], w: Box): Set<number> => {
    const found = new Set<number>();
    const last = Math.min(bands.length - 1, Math.floor((w.y + w.height) / band));
    for (let b = Math.max(0, Math.floor(w.y / band)); b <= last; b++) for (const i of bands[b] ?? []) found.add(i);
    return found;
  };
  const nodesIn = (w: Box): readonly number[] =>
    [...candidates(nodeBands, w)].filter((i) => {
      const b = boxOf(i);
      return b.x < w.x + w.width && b.x + b.width > w.x && b.y < w.y + w.height && b.y + b.height > w.y;
    });
  const crosses = (e: number, w: Box): boolean => {
    const p = points.subarray(offsets[e] ?? 0, offsets[e + 1] ?? 0);
    for (let i = 2; i < p.length; i += 2) {
      const [x0 = 0, y0 = 0, x1 = 0, y1 = 0] = p.subarray(i - 2, i + 2);
      const clear =
        Math.max(x0, x1) < w.x ||
        Math.min(x0, x1) > w.x + w.width ||
        Math.max(y0, y1) < w.y ||
        Math.min(y0, y1) > w.y + w.height;
      if (!clear) return true;
    }
    return false;
  };
  return {
    view,
    place,
    bounds: { x: 0, y: 0, width: right, height: bottom },
    boxOf,
    nodesIn,
    within: (w) => {
      const inside = new Set(nodesIn(w));
      const lines = [...candidates(edgeBands, w)].filter((e) => crosses(e, w));
      for (const e of lines) {
        const v = view.edges[e];
        if (v !== undefined) inside.add(v.source).add(v.target);
      }
      // in graph order, so that React keeps its elements where they are
      return { nodes: [...inside].sort((a, b) => a - b).map(node), edges: lines.sort((a, b) => a - b).map(edge) };
    },
  };
}
