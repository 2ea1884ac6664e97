/** Owns the worker that lays graphs out beside the page's own thread. */
import { type LayoutInput, layout } from './layout.ts';

interface Request extends LayoutInput {
  readonly id: number;
}

addEventListener('message', (event: MessageEvent<Request>) => {
  const { id, sizes, edges, values } = event.data;
  try {
    postMessage({ id, result: layout({ sizes, edges, values }) });
  } catch (thrown) {
    postMessage({ id, error: thrown instanceof Error ? thrown.message : String(thrown) });
  }
});
