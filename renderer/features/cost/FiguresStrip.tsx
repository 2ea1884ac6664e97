/** Owns the figures strip: what the model costs, before -> now. */

import type { Figures } from '#shared/analysis/figures.ts';
import { type Text, text } from '#shared/base/text.ts';
import { usePreview } from '../../state/preview.ts';
import { ratio, shortBytes, shortCount } from '../../ui/format.ts';
import { useText } from '../../ui/language.ts';
import './cost.css';

const rows: readonly {
  readonly key: string;
  readonly title: Text;
  readonly of: (f: Figures) => number | null;
  readonly print: (n: number | null) => string;
}[] = [
  { key: 'parameters', title: text('Parameters', '파라미터'), of: (f) => f.parameters, print: shortCount },
  { key: 'file', title: text('File', '파일'), of: (f) => f.fileBytes, print: shortBytes },
  { key: 'macs', title: text('MACs', 'MACs'), of: (f) => f.macs, print: shortCount },
  { key: 'memory', title: text('Peak memory', '최대 메모리'), of: (f) => f.peakActivationBytes, print: shortBytes },
];

export function FiguresStrip() {
  const say = useText();
  const preview = usePreview((p) => p.preview);
  return (
    <dl className="strip">
      {rows.map((row) => {
        const before = preview === null ? null : row.of(preview.before);
        const now = preview === null ? null : row.of(preview.figures);
        const changed = before !== null && now !== null && before !== now;
        return (
          <div key={row.key} className="figure" data-figure={row.key}>
            <dt>{say(row.title)}</dt>
            <dd>
              {changed && <span className="muted">{row.print(before)} → </span>}
              <strong className={changed ? 'estimated' : ''}>{preview === null ? '—' : row.print(now)}</strong>
              {changed && <span className="figure-ratio">{ratio(before, now)}</span>}
            </dd>
          </div>
        );
      })}
    </dl>
  );
}
