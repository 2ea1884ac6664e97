/** Owns Histogram: equal-width bins as bars; bins that a cut would remove are grey. */
import { shortNumber } from './format.ts';

export interface HistogramProps {
  readonly label: string;
  readonly bins: readonly number[];
  readonly min: number;
  readonly max: number;
  /** Magnitudes below this are drawn as removed. */
  readonly cut?: number;
  readonly height?: number;
}

export function Histogram({ label, bins, min, max, cut, height = 72 }: HistogramProps) {
  const top = Math.max(1, ...bins);
  const width = (max - min) / Math.max(1, bins.length);
  return (
    <figure style={{ margin: 0 }}>
      <svg
        className="histogram"
        role="img"
        aria-label={label}
        viewBox={`0 0 ${bins.length * 4} ${height}`}
        preserveAspectRatio="none"
        height={height}
      >
        {bins.map((n, i) => {
          const centre = min + (i + 0.5) * width;
          // square root: a few large bins would hide all others
          const h = Math.sqrt(n / top) * (height - 2);
          const bar = n === 0 ? 0 : Math.max(1, h);
          return (
            <rect
              // biome-ignore lint/suspicious/noArrayIndexKey: a bin is its index
              key={i}
              x={i * 4 + 0.4}
              width={3.2}
              y={height - bar}
              height={bar}
              className={cut !== undefined && Math.abs(centre) < cut ? 'removed' : undefined}
            />
          );
        })}
      </svg>
      <figcaption className="histogram-axis">
        <span>{shortNumber(min)}</span>
        <span>{label}</span>
        <span>{shortNumber(max)}</span>
      </figcaption>
    </figure>
  );
}
