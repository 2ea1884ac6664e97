/** Owns choosing which output of the open model is trained. */
import { useDocument } from '../../state/store.ts';
import type { NamesFieldProps } from '../../ui/FieldForm.tsx';
import { useText } from '../../ui/language.ts';
import { Select } from '../../ui/Select.tsx';
import { words } from './words.ts';

export function OutputPicker({ label, value, onChange }: NamesFieldProps) {
  const say = useText();
  const open = useDocument((d) => d.open);
  const names = open?.model.graph.outputs.map((o) => o.name) ?? [];
  const known = value === '' || names.includes(value) ? names : [value, ...names];
  return (
    <Select
      label={label}
      value={value}
      options={[
        { value: '', label: say(words.firstOutput, { name: names[0] ?? '' }) },
        ...known.map((n) => ({ value: n, label: n })),
      ]}
      onChange={onChange}
    />
  );
}
