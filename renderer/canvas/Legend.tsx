/** Owns the legend: what the colours on the nodes mean, the choice between them, and measuring where that is what lacks. */
import { Gauge } from 'lucide-react';
import { useHost } from '../host/use-host.tsx';
import { useLayerMeasures } from '../state/measured.ts';
import { profileNow } from '../state/run-plan.ts';
import { useDocument } from '../state/store.ts';
import { type ColourBy, colourings, setView, useView } from '../state/view.ts';
import { Button } from '../ui/Button.tsx';
import { bits, layerTime, milliseconds, percent, shortCount } from '../ui/format.ts';
import { useText } from '../ui/language.ts';
import { Segmented } from '../ui/Segmented.tsx';
import { Select } from '../ui/Select.tsx';
import { viridisGradient } from '../ui/viridis.ts';
import { type Family, familyNames, familyOf } from './families.ts';
import { viewOf } from './graph-view.ts';
import { type LayerValues, useLayerValues } from './layer-values.ts';
import { colourWords, words } from './words.ts';

export function Legend() {
  const say = useText();
  const by = useView((s) => s.colourBy);
  const options = colourings.map((v) => ({ value: v, label: say(colourWords[v]) }));
  const choose = (colourBy: ColourBy): void => setView({ colourBy });
  return (
    <>
      <div className="colour-by nopan nowheel">
        <Segmented label={say(words.legend)} value={by} options={options} onChange={choose} />
        <Select label={say(words.legend)} value={by} options={options} onChange={choose} />
      </div>
      <div className="legend nopan">{by === 'operator' ? <Families /> : <Scale by={by} />}</div>
    </>
  );
}

function Families() {
  const say = useText();
  const open = useDocument((d) => d.open);
  if (open === null) return null;
  const found = new Set<Family>();
  for (const v of viewOf(open.model.graph).nodes) if (v.parts[0] !== undefined) found.add(familyOf(v.parts[0].op));
  const shown = (Object.keys(familyNames) as Family[]).filter((f) => found.has(f));
  return (
    <ul className="legend-families">
      {shown.map((f) => (
        <li key={f}>
          <span className="swatch" style={{ background: `var(--fam-${f})` }} />
          {say(familyNames[f])}
        </li>
      ))}
    </ul>
  );
}

/** What stands at the end of the scale. */
function endOf({ by, top, total }: LayerValues): string {
  switch (by) {
    case 'latency':
      return layerTime(top);
    case 'sparsity':
      return percent(1, 0);
    case 'precision':
      return bits(top);
    case 'parameters':
      return shortCount(top);
    case 'operator':
    case 'macs':
      return total !== null && total > 0 ? percent(top / total) : shortCount(top);
  }
}

function Scale({ by }: { readonly by: Exclude<ColourBy, 'operator'> }) {
  const say = useText();
  const values = useLayerValues((v) => v.values);
  if (by === 'latency' && values?.by !== 'latency') return <Measuring />;
  if (values === null || values.by !== by) return <p className="muted small">{say(words.reading)}</p>;
  return (
    <div className="legend-scale">
      <div className="legend-bar" style={{ background: viridisGradient }} />
      <div className="legend-ends">
        <span>0</span>
        <span>{say(words[by])}</span>
        <span>{endOf(values)}</span>
      </div>
      {by === 'latency' && <Measuring />}
    </div>
  );
}

/** The button that measures, and what it measured. */
function Measuring() {
  const say = useText();
  const host = useHost();
  const modelId = useDocument((d) => d.open?.modelId);
  const profile = useLayerMeasures((m) => m.profile);
  const measuring = useLayerMeasures((m) => m.measuring);
  if (modelId === undefined) return null;
  return (
    <div className="legend-measure">
      {profile === null && <p className="muted small">{say(words.unmeasured)}</p>}
      {profile !== null && (
        <p className="muted small">
          {say(profile.trace === null ? words.noTrace : words.measuredWhole, {
            ms: milliseconds(profile.latencyMs.median),
            runtime: profile.runtime,
          })}
        </p>
      )}
      {measuring === null ? (
        <Button small icon={<Gauge />} onClick={() => void profileNow(host, modelId)}>
          {say(words.measure)}
        </Button>
      ) : (
        <p className="small" role="status">
          {say(words.measuring, { share: percent(measuring.progress.share, 0) })}
        </p>
      )}
    </div>
  );
}
