/** Owns one cell of the strip: title, before -> now, bar and ratio. */
import type { ReactNode } from 'react';
import { Tooltip } from '../../ui/Tooltip.tsx';

export interface FigureProps {
  readonly id: string;
  readonly title: string;
  readonly badge?: ReactNode;
  /** null: it did not change. */
  readonly before: string | null;
  readonly now: ReactNode;
  /** Share of what there was, for the bar; null: no bar. */
  readonly share: number | null;
  readonly line: ReactNode;
  readonly worse?: boolean;
  readonly why?: string;
}

export const Figure = (p: FigureProps) => (
  <div className="figure" data-figure={p.id}>
    <dt>
      {p.title}
      {p.badge}
    </dt>
    <dd>
      <span className="figure-now">
        {p.before !== null && <span className="muted">{p.before} →</span>}
        {p.why === undefined ? p.now : <Tooltip text={p.why}>{p.now}</Tooltip>}
      </span>
      <span className="figure-line">
        {p.share !== null && (
          <span className={p.worse ? 'figure-bar worse' : 'figure-bar'} aria-hidden="true">
            <span style={{ width: `${Math.min(1, p.share) * 100}%` }} />
          </span>
        )}
        <span className="muted small">{p.line}</span>
      </span>
    </dd>
  </div>
);
