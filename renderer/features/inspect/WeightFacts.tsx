/** Owns the weight histogram of a layer: asked of the host, which alone holds the values. */
import type { Node } from '#shared/ir/model.ts';
import { useCall } from '../../host/use-host.tsx';
import { useDocument } from '../../state/store.ts';
import { percent, shortNumber } from '../../ui/format.ts';
import { Histogram } from '../../ui/Histogram.tsx';
import { useText } from '../../ui/language.ts';
import { words } from './words.ts';

export function WeightFacts({ node, input }: { readonly node: Node; readonly input: number }) {
  const say = useText();
  const modelId = useDocument((d) => d.open?.modelId);
  const summary = useCall(
    'tensorSummary',
    modelId === undefined ? null : { modelId, nodeId: node.id, input, bins: 60 },
  );
  if (summary.state !== 'done') return null;
  const { histogram, min, max, zeros, count, mean, std } = summary.value;
  return (
    <section>
      <h3 className="section-title">{say(words.weights)}</h3>
      <Histogram label={say(words.weights)} bins={histogram} min={min} max={max} />
      <p className="muted small">
        {say(words.range, { mean: shortNumber(mean), std: shortNumber(std) })}
        {zeros > 0 && ` · ${say(words.zeros, { share: percent(zeros / count) })}`}
      </p>
    </section>
  );
}
