/** Owns layOut: a view laid out in the worker, started with the page so that the first file need not wait for it. */
import { Fault } from '#shared/base/fault.ts';
import { text } from '#shared/base/text.ts';
import type { GraphView } from './graph-view.ts';
import type { LayoutResult } from './layout.ts';

interface Answer {
  readonly id: number;
  readonly result?: LayoutResult;
  readonly error?: string;
}

const worker = new Worker(new URL('./layout.worker.ts', import.meta.url), { type: 'module' });
const waiting = new Map<number, { resolve: (r: LayoutResult) => void; reject: (f: Fault) => void }>();
let next = 0;

worker.addEventListener('message', ({ data }: MessageEvent<Answer>) => {
  const asked = waiting.get(data.id);
  waiting.delete(data.id);
  if (data.result !== undefined) asked?.resolve(data.result);
  else
    asked?.reject(
      new Fault(
        'internal',
        text(
          `the graph could not be laid out: ${data.error ?? 'no answer'}`,
          `그래프를 배치하지 못했습니다: ${data.error ?? '응답 없음'}`,
        ),
      ),
    );
});
worker.addEventListener('error', () => {
  for (const asked of waiting.values())
    asked.reject(new Fault('internal', text('the layout worker failed', '배치 작업자가 멈췄습니다')));
  waiting.clear();
});

export function layOut(view: GraphView): Promise<LayoutResult> {
  const sizes = new Float64Array(view.nodes.length * 2);
  view.nodes.forEach((v, i) => {
    sizes[2 * i] = v.width;
    sizes[2 * i + 1] = v.height;
  });
  const edges = new Int32Array(view.edges.length * 2);
  const values = new Int32Array(view.edges.length);
  const numbers = new Map<string, number>();
  view.edges.forEach((e, i) => {
    const number = numbers.get(e.value) ?? numbers.size;
    numbers.set(e.value, number);
    values[i] = number;
    edges[2 * i] = e.source;
    edges[2 * i + 1] = e.target;
  });
  const id = next++;
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    worker.postMessage({ id, sizes, edges, values }, [sizes.buffer, edges.buffer, values.buffer]);
  });
}
