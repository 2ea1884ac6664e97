/** Owns FieldForm: the form of a declared set of fields, drawn from the declaration alone. */
import { type ComponentType, createContext, useContext, useId } from 'react';
import type { Field, Fields, FieldValues, TextField } from '#shared/base/fields.ts';
import { text } from '#shared/base/text.ts';
import { percent, shortNumber } from './format.ts';
import { useText } from './language.ts';
import { Segmented } from './Segmented.tsx';
import { Select } from './Select.tsx';
import { Slider } from './Slider.tsx';
import { Switch } from './Switch.tsx';
import { Tooltip } from './Tooltip.tsx';

/** What chooses names in place of a line of text. */
export interface NamesFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

/** What the form offers for fields that name something; features fill it. Without one a line of text is drawn. */
export const NamesFields = createContext<
  Partial<Record<NonNullable<TextField['names']>, ComponentType<NamesFieldProps>>>
>({});

const unset = text('automatic', '자동');

export interface FieldFormProps {
  readonly fields: Fields;
  readonly values: FieldValues;
  /** `moving` is true while a slider is being dragged: one undo entry for the whole gesture. */
  readonly onChange: (values: FieldValues, moving: boolean) => void;
  readonly onCommit?: () => void;
  /** Only these fields, in this order; without it all, as declared. */
  readonly only?: readonly string[];
}

/** Whether a field is shown, given the others. */
export const fieldShown = (field: Field, values: FieldValues): boolean => {
  if (field.when === undefined) return true;
  const other = values[field.when.field];
  return other !== undefined && field.when.is.includes(other);
};

export function FieldForm({ fields, values, onChange, onCommit, only }: FieldFormProps) {
  const names = only ?? Object.keys(fields);
  return (
    <div className="form">
      {names.map((name) => {
        const field = fields[name];
        if (field === undefined || !fieldShown(field, values)) return null;
        return (
          <FieldRow
            key={name}
            field={field}
            value={values[name]}
            onChange={(value, moving) => onChange({ ...values, [name]: value }, moving)}
            {...(onCommit === undefined ? {} : { onCommit })}
          />
        );
      })}
    </div>
  );
}

interface FieldRowProps {
  readonly field: Field;
  readonly value: string | number | boolean | undefined;
  readonly onChange: (value: string | number | boolean | undefined, moving: boolean) => void;
  readonly onCommit?: () => void;
}

function FieldRow({ field, value, onChange, onCommit }: FieldRowProps) {
  const say = useText();
  const id = useId();
  const pickers = useContext(NamesFields);
  const label = say(field.label);
  const name =
    field.help === undefined ? (
      <span className="muted">{label}</span>
    ) : (
      <Tooltip text={say(field.help)}>
        <span className="muted estimated">{label}</span>
      </Tooltip>
    );
  switch (field.kind) {
    case 'number': {
      const shown = typeof value === 'number' ? value : field.default;
      const printed = field.unit === 'share' ? percent(shown, 0) : shortNumber(shown);
      const set = typeof value === 'number';
      return (
        <div className="field">
          <div className="field-row">
            {name}
            <span className="field-row">
              {set ? <span className="field-value">{printed}</span> : <span className="muted">{say(unset)}</span>}
              {field.optional && (
                <Switch
                  label={label}
                  checked={set}
                  onChange={(on) => onChange(on ? field.default : undefined, false)}
                />
              )}
            </span>
          </div>
          {set && (
            <Slider
              label={label}
              value={shown}
              min={field.min}
              max={field.max}
              step={field.step}
              valueText={printed}
              onChange={(v) => onChange(v, true)}
              {...(onCommit === undefined ? {} : { onCommit })}
            />
          )}
        </div>
      );
    }
    case 'choice': {
      const current = typeof value === 'string' || typeof value === 'number' ? value : field.default;
      const options = field.options.map((o) => ({ value: String(o.value), label: say(o.label) }));
      const choose = (v: string): void => onChange(field.options.find((o) => String(o.value) === v)?.value, false);
      const short = options.length <= 4 && options.reduce((n, o) => n + o.label.length, 0) <= 26;
      return (
        <div className="field-row">
          {name}
          {short ? (
            <Segmented label={label} value={String(current)} options={options} onChange={choose} />
          ) : (
            <Select label={label} value={String(current)} options={options} onChange={choose} />
          )}
        </div>
      );
    }
    case 'text': {
      const Picker = field.names === undefined ? undefined : pickers[field.names];
      const shown = typeof value === 'string' ? value : field.default;
      return (
        <div className="field">
          {name}
          {Picker === undefined ? (
            <input
              className="text-input"
              aria-label={label}
              value={shown}
              onChange={(e) => onChange(e.target.value, true)}
              onBlur={onCommit}
            />
          ) : (
            <Picker label={label} value={shown} onChange={(v) => onChange(v, false)} />
          )}
        </div>
      );
    }
    case 'switch':
      return (
        <div className="field-row" id={id}>
          {name}
          <Switch
            label={label}
            checked={value === undefined ? field.default : value === true}
            onChange={(v) => onChange(v, false)}
          />
        </div>
      );
  }
}
