/** Owns the facts of values that no node makes: initializers, graph inputs, what the file declares. */
import { Fault } from '../base/fault.ts';
import { text } from '../base/text.ts';
import { elementCount, elementTypes } from '../ir/element-type.ts';
import type { Dim, ValueInfo, ValueType } from '../ir/model.ts';
import type { SparseTensor, Tensor } from '../ir/tensor.ts';
import { integersOf, toNumbers } from '../ir/values.ts';
import { type Facts, type Scalar, unknownFacts } from '../ops/declare.ts';
import { floatFoldLimit, foldLimit } from '../ops/fold.ts';
import { withLazyContent } from '../ops/lazy-content.ts';
import { interned, internedConstant } from './interned-facts.ts';

const ofTensor = new WeakMap<Tensor, Facts>();
const ofSparse = new WeakMap<SparseTensor, Facts>();

function contentOf(tensor: Tensor): readonly Scalar[] | undefined {
  try {
    return Array.from(toNumbers(tensor));
  } catch (thrown) {
    // A skeleton on the screen, a range not calibrated yet, external data that is gone: the content is not known.
    if (thrown instanceof Fault) return undefined;
    throw thrown;
  }
}

/** Bytes and parts of them hold weights, indices of codebooks and masks, never a shape; text and complex numbers neither. */
const isPacked = ({ type }: Tensor): boolean => {
  const { bits, family } = elementTypes[type];
  return family === 'string' || family === 'complex' || (family !== 'bool' && bits <= 8);
};

const plain = (tensor: Tensor): Facts => ({ elem: tensor.type, shape: tensor.dims, constant: true });

/**
 * Facts of an initializer; the same object for the same tensor. A small content is read only when a rule asks for it, so
 * that inference never computes the weights of a preview.
 */
export function tensorSource(tensor: Tensor): Facts {
  // Integers made in memory are looked up by value: a slider makes hundreds of such tensors at each position.
  const made = integersOf(tensor);
  const known = made === undefined ? ofTensor.get(tensor) : internedConstant(tensor.type, tensor.dims, made);
  if (known !== undefined) return known;
  const { family } = elementTypes[tensor.type];
  const limit = family === 'float' ? floatFoldLimit : isPacked(tensor) ? -1 : foldLimit;
  let facts: Facts;
  if (elementCount(tensor.dims) > limit) facts = plain(tensor);
  else if (made !== undefined) facts = { elem: tensor.type, shape: tensor.dims, content: made, constant: true };
  else facts = withLazyContent(plain(tensor), () => contentOf(tensor));
  facts = interned(facts);
  ofTensor.set(tensor, facts);
  return facts;
}

export function sparseSource(tensor: SparseTensor): Facts {
  let facts = ofSparse.get(tensor);
  if (facts === undefined) {
    facts = interned({ elem: tensor.values.type, shape: tensor.dims, constant: true });
    ofSparse.set(tensor, facts);
  }
  return facts;
}

/** What a declared type says. Sequences, maps and optionals keep their type in `other`. */
export function typeFacts(type: ValueType): Facts {
  switch (type.kind) {
    case 'tensor':
      return { elem: type.elem, shape: type.shape, constant: false };
    case 'unknown':
      return unknownFacts;
    default:
      return { elem: null, shape: null, constant: false, other: type };
  }
}

/** Numbers that stand for symbols, from the shapes a person chose. */
export type Symbols = ReadonlyMap<string, number>;

/** The shape with its symbols replaced where a number stands for them. */
export const withSymbols = (shape: readonly Dim[], symbols: Symbols): readonly Dim[] =>
  shape.map((d) => (typeof d === 'string' ? (symbols.get(d) ?? d) : d));

export interface ChosenInputs {
  readonly facts: ReadonlyMap<string, Facts>;
  readonly symbols: Symbols;
}

const chosen = new WeakMap<readonly ValueInfo[], Map<string, ChosenInputs>>();

/** `chooseInputs`, remembered: a file may list every weight as an input. */
export function chosenInputs(
  inputs: readonly ValueInfo[],
  choice: Readonly<Record<string, readonly number[]>>,
  batch?: number,
): ChosenInputs {
  const seen = chosen.get(inputs) ?? new Map<string, ChosenInputs>();
  chosen.set(inputs, seen);
  const key = JSON.stringify([batch ?? null, choice]);
  const known = seen.get(key);
  if (known !== undefined) return known;
  const made = chooseInputs(inputs, choice, batch);
  if (seen.size >= 8) seen.clear();
  seen.set(key, made);
  return made;
}

/**
 * Shapes of graph inputs under a choice, and the symbols it settles. `batch`: what stands for dim 0 of an input where that
 * is not a number and nobody chose. Faults: `bad-input` where a choice does not fit.
 */
function chooseInputs(
  inputs: readonly ValueInfo[],
  choice: Readonly<Record<string, readonly number[]>>,
  batch?: number,
): ChosenInputs {
  for (const name of Object.keys(choice))
    if (!inputs.some((i) => i.name === name))
      throw new Fault(
        'bad-input',
        text(`the model has no input named ${name}`, `모델에 ${name}(이)라는 입력이 없습니다`),
        {
          hint: text(
            `Its inputs: ${inputs.map((i) => i.name).join(', ')}.`,
            `있는 입력: ${inputs.map((i) => i.name).join(', ')}.`,
          ),
        },
      );
  const symbols = new Map<string, number>();
  for (const input of inputs) {
    const set = choice[input.name];
    if (set === undefined || input.type.kind !== 'tensor' || input.type.shape === null) continue;
    if (set.length !== input.type.shape.length)
      throw new Fault(
        'bad-input',
        text(
          `the shape ${set.join(',')} has ${set.length} dimensions, not ${input.type.shape.length}`,
          `형상 ${set.join(',')}의 차원은 ${input.type.shape.length}개가 아니라 ${set.length}개입니다`,
        ),
        {
          where: input.name,
        },
      );
    input.type.shape.forEach((d, i) => {
      const n = set[i];
      if (typeof d === 'string' && n !== undefined) symbols.set(d, n);
    });
  }
  if (batch !== undefined)
    for (const { name, type } of inputs) {
      const first = type.kind === 'tensor' && choice[name] === undefined ? type.shape?.[0] : undefined;
      if (typeof first === 'string' && !symbols.has(first)) symbols.set(first, batch);
    }
  const facts = new Map<string, Facts>();
  for (const input of inputs) {
    const declared = typeFacts(input.type);
    const set = choice[input.name];
    const shape =
      set ??
      declared.shape?.map((d, i) =>
        d === null && i === 0 ? (batch ?? null) : typeof d === 'string' ? (symbols.get(d) ?? d) : d,
      ) ??
      null;
    facts.set(input.name, declared.other === undefined ? interned({ ...declared, shape }) : declared);
  }
  return { facts, symbols };
}
