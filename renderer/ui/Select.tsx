/** Owns Select: a native choice list, so that every platform's keyboard and screen reader know it. */

export interface SelectProps<V extends string | number> {
  readonly label: string;
  readonly value: V;
  readonly options: readonly { readonly value: V; readonly label: string }[];
  readonly onChange: (value: V) => void;
  readonly disabled?: boolean;
}

export function Select<V extends string | number>({ label, value, options, onChange, disabled }: SelectProps<V>) {
  return (
    <select
      className="select"
      aria-label={label}
      value={String(value)}
      disabled={disabled}
      onChange={(e) => {
        const chosen = options.find((o) => String(o.value) === e.currentTarget.value);
        if (chosen !== undefined) onChange(chosen.value);
      }}
    >
      {options.map((o) => (
        <option key={String(o.value)} value={String(o.value)}>
          {o.label}
        </option>
      ))}
    </select>
  );
}
