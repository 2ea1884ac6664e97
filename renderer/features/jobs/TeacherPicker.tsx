/** Owns choosing teachers: the original model, samples, models opened lately, a file; several teach together. */
import { X } from 'lucide-react';
import { useRef, useState } from 'react';
import type { Opened } from '#shared/contract/calls.ts';
import { listed } from '#shared/techniques/distill.ts';
import { useCall, useHost } from '../../host/use-host.tsx';
import { useDocument } from '../../state/store.ts';
import { Button } from '../../ui/Button.tsx';
import type { NamesFieldProps } from '../../ui/FieldForm.tsx';
import { useText } from '../../ui/language.ts';
import { Select } from '../../ui/Select.tsx';
import { showFault } from '../../ui/toast.ts';
import { words } from './words.ts';

const original = 'original';
/** The entry that asks for a file, and the one that stands while nothing is being added. */
const file = ' file';
const nothing = ' nothing';

export function TeacherPicker({ label, value, onChange }: NamesFieldProps) {
  const say = useText();
  const host = useHost();
  const hello = useCall('hello', {});
  const recent = useCall('recentModels', {});
  const input = useRef<HTMLInputElement>(null);
  // A file taken in after the list was asked for.
  const [added, setAdded] = useState<readonly Opened[]>([]);
  const now = useDocument((d) => d.open?.modelId);
  const chosen = listed(value);
  const samples = hello.state === 'done' ? hello.value.samples : [];
  const held = [...added, ...(recent.state === 'done' ? recent.value : [])].filter(
    (m, i, all) => m.modelId !== now && all.findIndex((o) => o.modelId === m.modelId) === i,
  );
  const known = [
    { value: original, label: say(words.originalModel) },
    ...samples.map((s) => ({ value: s.id, label: s.title })),
    ...held.map((m) => ({ value: m.modelId, label: m.name })),
  ];
  const set = (names: readonly string[]): void => onChange(names.length === 0 ? original : names.join(', '));
  const add = (name: string): void => {
    if (!chosen.includes(name)) set([...chosen, name]);
  };
  const take = (asked: Promise<Opened | null>): void => {
    asked.then(
      (opened) => {
        if (opened === null) return;
        setAdded((before) => [opened, ...before]);
        add(opened.modelId);
      },
      (thrown: unknown) => showFault(words.teacherFailed, thrown),
    );
  };
  const choose = (name: string): void => {
    if (name === nothing) return;
    if (name !== file) add(name);
    else if (hello.state === 'done' && hello.value.capabilities.dialogs) take(host.call('openDialog', {}));
    else input.current?.click();
  };
  const read = async (picked: File): Promise<Opened> =>
    host.call('openBytes', { name: picked.name, bytes: new Uint8Array(await picked.arrayBuffer()), companions: {} });
  return (
    <div className="teachers">
      <ul>
        {chosen.map((name) => (
          <li key={name}>
            <span className="ellipsis">{known.find((k) => k.value === name)?.label ?? name}</span>
            {(chosen.length > 1 || name !== original) && (
              <Button
                look="quiet"
                small
                icon={<X />}
                label={say(words.dropTeacher, { name: known.find((k) => k.value === name)?.label ?? name })}
                onClick={() => set(chosen.filter((c) => c !== name))}
              />
            )}
          </li>
        ))}
      </ul>
      <Select
        label={label}
        value={nothing}
        options={[
          { value: nothing, label: say(words.addTeacher) },
          ...known.filter((k) => !chosen.includes(k.value)),
          { value: file, label: say(words.dataFile) },
        ]}
        onChange={choose}
      />
      <input
        ref={input}
        type="file"
        accept=".onnx,.ort,.pb"
        hidden
        onChange={(e) => {
          const [picked] = e.currentTarget.files ?? [];
          e.currentTarget.value = '';
          if (picked !== undefined) take(read(picked));
        }}
      />
    </div>
  );
}
