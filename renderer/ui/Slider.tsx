/** Owns Slider: a range input that reports while it moves and when it is let go. */

export interface SliderProps {
  readonly label: string;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  /** Read out instead of the bare number. */
  readonly valueText?: string;
  readonly disabled?: boolean;
  readonly onChange: (value: number) => void;
  /** The gesture ended: pointer up, or a key released. */
  readonly onCommit?: () => void;
}

export function Slider(p: SliderProps) {
  const share = p.max > p.min ? (p.value - p.min) / (p.max - p.min) : 0;
  return (
    <input
      type="range"
      className="slider"
      aria-label={p.label}
      aria-valuetext={p.valueText}
      min={p.min}
      max={p.max}
      step={p.step}
      value={p.value}
      disabled={p.disabled}
      style={{ '--share': share } as React.CSSProperties}
      onChange={(e) => p.onChange(Number(e.currentTarget.value))}
      onPointerUp={() => p.onCommit?.()}
      onKeyUp={() => p.onCommit?.()}
    />
  );
}
