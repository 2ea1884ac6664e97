/** Owns the attributes, inputs and outputs that came to an operator later, and the value that means "as before". */
import { text } from '../../../base/text.ts';
import { attribute, utf8 } from '../../../ir/attribute.ts';
import type { Attribute } from '../../../ir/model.ts';
import { type AdapterContext, changed, refuse } from '../context.ts';

/** A value that an attribute may have and be dropped; `anything`: it concerns types that the older form refuses anyway. */
type Neutral = number | string | readonly string[] | 'anything' | 'ones';

interface Newer {
  readonly attributes?: Readonly<Record<string, Neutral>>;
  /** Inputs and outputs that the older form has at most. */
  readonly inputs?: number;
  readonly outputs?: number;
}

const layout: Newer = { attributes: { layout: 0 } };
const newer: Readonly<Record<string, Readonly<Record<number, Newer>>>> = {
  AveragePool: { 10: { attributes: { ceil_mode: 0 } }, 19: { attributes: { dilations: 'ones' } } },
  MaxPool: {
    8: { attributes: { storage_order: 0 }, outputs: 1 },
    10: { attributes: { ceil_mode: 0, dilations: 'ones' } },
  },
  LpPool: { 18: { attributes: { ceil_mode: 0, dilations: 'ones' } } },
  DepthToSpace: { 11: { attributes: { mode: 'DCR' } } },
  GatherND: { 12: { attributes: { batch_dims: 0 } } },
  ArgMax: { 12: { attributes: { select_last_index: 0 } } },
  ArgMin: { 12: { attributes: { select_last_index: 0 } } },
  TopK: { 11: { attributes: { largest: 1, sorted: 1 } } },
  ScatterND: { 16: { attributes: { reduction: 'none' } }, 18: { attributes: { reduction: ['none', 'add', 'mul'] } } },
  ScatterElements: {
    16: { attributes: { reduction: 'none' } },
    18: { attributes: { reduction: ['none', 'add', 'mul'] } },
  },
  LSTM: { 14: layout },
  GRU: { 14: layout },
  RNN: { 14: layout },
  Cast: { 19: { attributes: { saturate: 'anything' } }, 24: { attributes: { round_mode: 'anything' } } },
  CastLike: { 19: { attributes: { saturate: 'anything' } }, 24: { attributes: { round_mode: 'anything' } } },
  QuantizeLinear: {
    19: { attributes: { saturate: 'anything' } },
    21: { attributes: { block_size: 0, output_dtype: 0 } },
    23: { attributes: { precision: 0 } },
  },
  DequantizeLinear: { 21: { attributes: { block_size: 0 } }, 23: { attributes: { output_dtype: 0 } } },
  Attention: { 24: { inputs: 6 } },
};

/** Attributes of which the older form knows fewer values, and which stay where they have one of those. */
const staying: ReadonlySet<string> = new Set(['reduction']);

function isNeutral(given: Attribute, neutral: Neutral): boolean {
  if (neutral === 'anything') return true;
  if (neutral === 'ones') return given.kind === 'ints' && given.value.every((x) => x === 1n);
  if (typeof neutral === 'number') return given.kind === 'int' && given.value === BigInt(neutral);
  if (given.kind !== 'string') return false;
  return typeof neutral === 'string' ? utf8(given.value) === neutral : neutral.includes(utf8(given.value));
}

const shown = (a: Attribute): string =>
  a.kind === 'string' ? utf8(a.value) : a.kind === 'ints' || a.kind === 'floats' ? `[${a.value.join()}]` : `${a.value}`;

/** The node without what came to its operator at `version`; refuses where that was used. */
export function withoutNewer(c: AdapterContext, version: number) {
  const { node } = c;
  const came = newer[node.op]?.[version];
  if (came === undefined) return node;
  const gone: string[] = [];
  for (const [name, neutral] of Object.entries(came.attributes ?? {})) {
    const given = attribute(node, name);
    if (given === undefined) continue;
    if (!isNeutral(given, neutral))
      refuse(
        c,
        text(
          `its ${name} is ${shown(given)}, which came with opset ${version}`,
          `${name}이(가) ${shown(given)}인데 이것은 opset ${version}에서 생겼습니다`,
        ),
      );
    if (!(staying.has(name) && Array.isArray(neutral))) gone.push(name);
  }
  const { inputs, outputs } = came;
  if (inputs !== undefined && node.inputs.slice(inputs).some((i) => i !== ''))
    refuse(c, text(`it has more than ${inputs} inputs`, `입력이 ${inputs}개보다 많습니다`));
  if (outputs !== undefined && node.outputs.slice(outputs).some((o) => o !== '' && c.isRead(o)))
    refuse(
      c,
      text(
        `its output ${outputs + 1} came with opset ${version}`,
        `출력 ${outputs + 1}은(는) opset ${version}에서 생겼습니다`,
      ),
    );
  const kept = outputs === undefined ? node : { ...node, outputs: node.outputs.slice(0, outputs) };
  return gone.length === 0 ? kept : changed(kept, { without: gone });
}
