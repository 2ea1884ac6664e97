/** Owns the legend: what the colours on the nodes mean, and the choice between them. */
import { usePreview } from '../state/preview.ts';
import { useDocument } from '../state/store.ts';
import { setView, useView } from '../state/view.ts';
import { percent, shortCount } from '../ui/format.ts';
import { useText } from '../ui/language.ts';
import { Segmented } from '../ui/Segmented.tsx';
import { viridisGradient } from '../ui/viridis.ts';
import { type Family, familyNames, familyOf } from './families.ts';
import { viewOf } from './graph-view.ts';
import { topOf } from './paint.ts';
import { colourWords, words } from './words.ts';

export function Legend() {
  const say = useText();
  const by = useView((s) => s.colourBy);
  return (
    <>
      <div className="colour-by nopan nowheel">
        <Segmented
          label={say(words.legend)}
          value={by}
          options={(['operator', 'macs', 'parameters'] as const).map((v) => ({ value: v, label: say(colourWords[v]) }))}
          onChange={(colourBy) => setView({ colourBy })}
        />
      </div>
      <div className="legend">{by === 'operator' ? <Families /> : <Scale by={by} />}</div>
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

function Scale({ by }: { readonly by: 'macs' | 'parameters' }) {
  const say = useText();
  const before = usePreview((p) => p.preview?.before);
  if (before === undefined) return null;
  const top = topOf(before, by);
  const end = by === 'macs' && before.macs !== null && before.macs > 0 ? percent(top / before.macs) : shortCount(top);
  return (
    <div className="legend-scale">
      <div className="legend-bar" style={{ background: viridisGradient }} />
      <div className="legend-ends">
        <span>0</span>
        <span>{say(words[by])}</span>
        <span>{end}</span>
      </div>
    </div>
  );
}
