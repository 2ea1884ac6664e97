/**
 * Owns fields: the declared parameters of a technique, a recipe or a job. One declaration gives the zod
 * schema that validates it, the default, and what the form on screen draws.
 */
import { z } from 'zod';
import type { Text } from './text.ts';

interface FieldBase {
  readonly label: Text;
  readonly help?: Text;
  /** Shown only while another field holds one of these values. */
  readonly when?: { readonly field: string; readonly is: readonly (string | number | boolean)[] };
  /** May be left out altogether (then the value is undefined). */
  readonly optional?: true;
}

export interface NumberField extends FieldBase {
  readonly kind: 'number';
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly default: number;
  readonly integer?: true;
  /** How to print it: a share is shown as percent. */
  readonly unit?: 'share' | 'count' | 'bits' | 'epochs' | 'none';
}

export interface ChoiceField extends FieldBase {
  readonly kind: 'choice';
  readonly options: readonly { readonly value: string | number; readonly label: Text }[];
  readonly default: string | number;
}

export interface SwitchField extends FieldBase {
  readonly kind: 'switch';
  readonly default: boolean;
}

/** One line of words: names, or a list separated by commas. */
export interface TextField extends FieldBase {
  readonly kind: 'text';
  readonly default: string;
  /** What the words name: a form offers what there is to choose from. */
  readonly names?: 'models' | 'output';
}

export type Field = NumberField | ChoiceField | SwitchField | TextField;
export type Fields = Readonly<Record<string, Field>>;
export type FieldValues = Readonly<Record<string, string | number | boolean | undefined>>;

function fieldSchema(field: Field): z.ZodType<string | number | boolean | undefined> {
  switch (field.kind) {
    case 'number': {
      const base = field.integer ? z.number().int() : z.number();
      const bounded = base.min(field.min).max(field.max);
      return field.optional ? bounded.optional() : bounded.default(field.default);
    }
    case 'choice': {
      const allowed = field.options.map((o) => o.value);
      const schema = z.union([z.string(), z.number()]).refine((v) => allowed.includes(v), {
        error: `expected one of ${allowed.map((v) => JSON.stringify(v)).join(', ')}`,
      });
      return field.optional ? schema.optional() : schema.default(field.default);
    }
    case 'text': {
      const line = z.string().max(4000);
      return field.optional ? line.optional() : line.default(field.default);
    }
    case 'switch':
      return field.optional ? z.boolean().optional() : z.boolean().default(field.default);
  }
}

/** The strict zod object for a set of fields: defaults filled in, unknown keys refused. */
export function fieldsSchema(fields: Fields): z.ZodType<FieldValues> {
  let schema = schemas.get(fields);
  if (schema === undefined) {
    schema = z.strictObject(Object.fromEntries(Object.entries(fields).map(([k, f]) => [k, fieldSchema(f)])));
    schemas.set(fields, schema);
  }
  return schema;
}
/** A slider checks its parameters with every move. */
const schemas = new WeakMap<Fields, z.ZodType<FieldValues>>();

/** The values a form starts with. Optional fields start undefined. */
export function fieldDefaults(fields: Fields): FieldValues {
  return Object.fromEntries(Object.entries(fields).flatMap(([k, f]) => (f.optional ? [] : [[k, f.default] as const])));
}
