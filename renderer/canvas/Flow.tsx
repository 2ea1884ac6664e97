/**
 * Owns the interactive graph. xyflow is given only what stands in (and around) the window, so that its cost does not
 * grow with the graph; zoomed far out, a bitmap is drawn instead of elements.
 */
import {
  Background,
  BackgroundVariant,
  MarkerType,
  type NodeChange,
  ReactFlow,
  useReactFlow,
  type Viewport,
} from '@xyflow/react';
import '@xyflow/react/dist/base.css';
import { type KeyboardEvent, type MouseEvent, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { currentDocument, dispatch } from '../state/store.ts';
import { useText } from '../ui/language.ts';
import { Bitmap } from './Bitmap.tsx';
import { CanvasBar } from './CanvasBar.tsx';
import { setCamera } from './camera.ts';
import { type FlowEdge, FlowEdgeView } from './FlowEdge.tsx';
import { type FlowNode, LayerNode } from './LayerNode.tsx';
import { Legend } from './Legend.tsx';
import { Minimap } from './Minimap.tsx';
import type { Box, Placed } from './placed.ts';
import { type Direction, neighbour } from './selection.ts';
import { words } from './words.ts';

const nodeTypes = { layer: LayerNode };
const edgeTypes = { value: FlowEdgeView };
const edgeOptions = { markerEnd: { type: MarkerType.ArrowClosed, width: 14, height: 14, color: 'var(--edge)' } };
const arrows: Readonly<Record<string, Direction>> = {
  ArrowUp: 'up',
  ArrowDown: 'down',
  ArrowLeft: 'left',
  ArrowRight: 'right',
};
/** Below this zoom, text cannot be read: the bitmap takes over (sooner for big graphs). */
const bitmapBelow = (nodes: number): number => (nodes < 120 ? 0.16 : 0.32);

interface Sight {
  readonly window: Box;
  readonly bitmap: boolean;
}

const inside = (inner: Box, outer: Box): boolean =>
  inner.x >= outer.x &&
  inner.y >= outer.y &&
  inner.x + inner.width <= outer.x + outer.width &&
  inner.y + inner.height <= outer.y + outer.height;

/** The whole graph where it can be read at that size, else its top at a readable size. */
function firstViewport(graph: Placed, width: number, height: number): Viewport {
  const { bounds } = graph;
  const fit = Math.min(1, (width - 96) / bounds.width, (height - 120) / bounds.height);
  const zoom = fit >= 0.55 ? fit : Math.min(0.95, Math.max(0.7, (width - 96) / bounds.width));
  // a wide graph begins over its inputs
  const starts = graph.view.nodes.flatMap((v, i) => (v.kind === 'input' ? [graph.boxOf(i)] : []));
  const first = starts.length === 0 ? [graph.boxOf(0)] : starts.slice(0, 3);
  const over = first.reduce((sum, b) => sum + b.x + b.width / 2, 0) / first.length;
  const middle = fit >= 0.55 || bounds.width * zoom <= width - 64 ? bounds.width / 2 : over;
  const y = fit >= 0.55 ? Math.max(56, (height - bounds.height * zoom) / 2) : 64;
  return { x: width / 2 - middle * zoom, y, zoom };
}

export function Flow({ graph, serial, askedAt }: { graph: Placed; serial: number; askedAt: number }) {
  const say = useText();
  const flow = useReactFlow<FlowNode, FlowEdge>();
  const root = useRef<HTMLDivElement>(null);
  const [sight, setSight] = useState<Sight | null>(null);
  const [first, setFirst] = useState<Viewport | null>(null);
  const lasso = useRef<Set<string> | null>(null);
  const [said, setSaid] = useState('');

  /** Chooses a new window when the view leaves the padded one, or the level of detail changes. */
  const look = (v: Viewport): void => {
    const box = root.current;
    if (box === null) return;
    const seen = {
      x: -v.x / v.zoom,
      y: -v.y / v.zoom,
      width: box.clientWidth / v.zoom,
      height: box.clientHeight / v.zoom,
    };
    const bitmap = v.zoom < bitmapBelow(graph.view.nodes.length);
    setSight((s) => {
      if (s !== null && s.bitmap === bitmap && (bitmap || inside(seen, s.window))) return s;
      const pad = { x: seen.width * 0.4, y: seen.height * 0.4 };
      return {
        bitmap,
        window: {
          x: seen.x - pad.x,
          y: seen.y - pad.y,
          width: seen.width + 2 * pad.x,
          height: seen.height + 2 * pad.y,
        },
      };
    });
  };

  // biome-ignore lint/correctness/useExhaustiveDependencies: the first look, once per graph
  useLayoutEffect(() => {
    const box = root.current;
    if (box === null) return;
    const v = firstViewport(graph, box.clientWidth, box.clientHeight);
    setFirst(v);
    settled.current = v;
    look(v);
  }, [graph]);

  // as long as nobody moved the view, it stays the first one when panels open and close around it
  const settled = useRef<Viewport | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: once per graph
  useEffect(() => {
    const box = root.current;
    if (box === null) return;
    const watch = new ResizeObserver(() => {
      const now = flow.getViewport();
      const was = settled.current;
      if (was === null || box.clientWidth === 0 || now.x !== was.x || now.y !== was.y || now.zoom !== was.zoom) return;
      settled.current = firstViewport(graph, box.clientWidth, box.clientHeight);
      void flow.setViewport(settled.current);
      look(settled.current);
    });
    watch.observe(box);
    return () => watch.disconnect();
  }, [graph]);

  useEffect(() => {
    if (first === null) return;
    // two frames: the elements are in the tree now, and painted after the next frame begins
    const frame = requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        performance.measure('bantam:draw', { start: askedAt, end: performance.now() });
        dispatch({ type: 'drawn', serial });
      }),
    );
    return () => cancelAnimationFrame(frame);
  }, [first, serial, askedAt]);

  const show = (index: number): void => {
    const b = graph.boxOf(index);
    const zoom = Math.max(flow.getZoom(), 0.7);
    void flow.setCenter(b.x + b.width / 2, b.y + b.height / 2, { zoom, duration: 180 });
  };

  useEffect(() => {
    setCamera({
      show: (id) => {
        const at = graph.view.at.get(id);
        if (at !== undefined) show(at);
      },
      fit: () => void flow.fitBounds(graph.bounds, { padding: 0.08, duration: 200 }),
      zoomBy: (factor) => void flow.zoomTo(flow.getZoom() * factor, { duration: 120 }),
    });
    return () => setCamera(null);
  });

  const shown = useMemo(
    () => (sight === null || sight.bitmap ? { nodes: [], edges: [] } : graph.within(sight.window)),
    [graph, sight],
  );

  const pick = (id: string, e: MouseEvent | globalThis.MouseEvent): void =>
    dispatch({ type: 'selected', ids: [id], mode: e.shiftKey || e.metaKey || e.ctrlKey ? 'toggle' : 'replace' });

  const pressPane = (e: MouseEvent): void => {
    if (sight?.bitmap) {
      const p = flow.screenToFlowPosition({ x: e.clientX, y: e.clientY });
      const [hit] = graph.nodesIn({ ...p, width: 1, height: 1 });
      const node = hit === undefined ? undefined : graph.view.nodes[hit];
      if (node !== undefined) {
        pick(node.id, e);
        return;
      }
    }
    if (!e.shiftKey) dispatch({ type: 'selected', ids: [], mode: 'replace' });
  };

  const selecting = (changes: NodeChange<FlowNode>[]): void => {
    for (const c of changes) {
      if (c.type !== 'select' || lasso.current === null) continue;
      if (c.selected) lasso.current.add(c.id);
      else lasso.current.delete(c.id);
    }
  };

  const keys = (e: KeyboardEvent): void => {
    const to = arrows[e.key];
    const { selection } = currentDocument();
    const last = selection.at(-1);
    if (to !== undefined) {
      e.preventDefault();
      const at = last === undefined ? undefined : graph.view.at.get(last);
      const next = at === undefined ? 0 : neighbour(graph.view, graph.place, at, to);
      const node = next === undefined ? undefined : graph.view.nodes[next];
      if (node === undefined || next === undefined) return;
      dispatch({ type: 'selected', ids: [node.id], mode: e.shiftKey ? 'add' : 'replace' });
      setSaid(`${node.title} ${node.detail}`);
      show(next);
    } else if (e.key === 'Escape') dispatch({ type: 'selected', ids: [], mode: 'replace' });
    else if (e.key === '+' || e.key === '=') void flow.zoomIn();
    else if (e.key === '-') void flow.zoomOut();
    else if (e.key === '0') void flow.fitBounds(graph.bounds, { padding: 0.08 });
  };

  return (
    <div
      className="flow"
      ref={root}
      role="application"
      aria-label={say(words.canvas)}
      aria-description={say(words.help)}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: as above
      tabIndex={0}
      onKeyDown={keys}
    >
      {first !== null && (
        <ReactFlow<FlowNode, FlowEdge>
          nodes={shown.nodes}
          edges={shown.edges}
          nodeTypes={nodeTypes}
          edgeTypes={edgeTypes}
          defaultEdgeOptions={edgeOptions}
          defaultViewport={first}
          minZoom={0.003}
          maxZoom={2.5}
          nodesDraggable={false}
          nodesConnectable={false}
          nodesFocusable={false}
          edgesFocusable={false}
          disableKeyboardA11y
          deleteKeyCode={null}
          selectionKeyCode="Shift"
          multiSelectionKeyCode={null}
          zoomOnDoubleClick={false}
          panOnScroll
          onMove={(_, v) => look(v)}
          onNodeClick={(e, node) => {
            pick(node.id, e);
            root.current?.focus({ preventScroll: true });
          }}
          onPaneClick={pressPane}
          onNodesChange={selecting}
          onSelectionStart={() => {
            lasso.current = new Set();
          }}
          onSelectionEnd={() => {
            const ids = [...(lasso.current ?? [])];
            lasso.current = null;
            if (ids.length > 0) dispatch({ type: 'selected', ids, mode: 'add' });
          }}
        >
          <Background variant={BackgroundVariant.Dots} gap={16} size={1} color="var(--bg-dot)" />
          {sight?.bitmap && <Bitmap graph={graph} />}
          <Minimap graph={graph} />
          <Legend />
          <CanvasBar graph={graph} />
        </ReactFlow>
      )}
      <span className="visually-hidden" aria-live="polite">
        {said}
      </span>
    </div>
  );
}
