/**
 * Owns the query language that picks layers. Terms stand side by side (and), or with `and`, `or`, `not`, parentheses:
 *   conv | gemm | op:Conv          the operator        depthwise, grouped, pointwise    kinds of convolution
 *   3x3                            the kernel size     name ~ "stage1", name = "fc"     the name, in part or whole
 *   macs > 1%, parameters <= 10k   figures: a number or a share of the model's total (macs, parameters, bytes)
 *   over 1% of MACs, under 10k parameters               the same in words           top 5 by macs (of the whole model)
 */
import { text } from '../base/text.ts';
import { intAttr, intsAttr } from '../ir/attribute.ts';
import type { Node } from '../ir/model.ts';
import { allOps } from '../ops/index.ts';
import { type Amount, amountOf, badWord, type Token, tokens } from './query-words.ts';

/** A layer as a query sees it. */
export interface QueryLayer {
  readonly node: Node;
  readonly macs: number | null;
  readonly parameters: number;
  readonly bytes: number;
  readonly kernel: string | null;
  /** Spatial kernel size from the attribute or the weight's shape. */
  readonly kernelShape: readonly number[] | null;
}

type Metric = 'macs' | 'parameters' | 'bytes';
type Test = (layer: QueryLayer, all: readonly QueryLayer[]) => boolean;

const metrics: Readonly<Record<string, Metric>> = {
  macs: 'macs',
  mac: 'macs',
  parameters: 'parameters',
  parameter: 'parameters',
  params: 'parameters',
  weights: 'parameters',
  bytes: 'bytes',
};

const comparisons: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '=': (a, b) => a === b,
  over: (a, b) => a > b,
  above: (a, b) => a > b,
  under: (a, b) => a < b,
  below: (a, b) => a < b,
};

const kinds: Readonly<Record<string, Test>> = {
  all: () => true,
  depthwise: (l) => l.kernel === 'depthwise-conv',
  grouped: (l) => intAttr(l.node, 'group', 1) > 1 && l.kernel !== 'depthwise-conv',
  pointwise: (l) => l.kernelShape !== null && l.kernelShape.length > 0 && l.kernelShape.every((k) => k === 1),
  linear: (l) => l.node.op === 'Gemm' || l.node.op === 'MatMul',
};

const total = (all: readonly QueryLayer[], metric: Metric): number => all.reduce((n, l) => n + (l[metric] ?? 0), 0);

const compared =
  (metric: Metric, compare: (a: number, b: number) => boolean, amount: Amount): Test =>
  (layer, all) => {
    const value = layer[metric];
    return value !== null && compare(value, amount.share ? amount.value * total(all, metric) : amount.value);
  };

const topOf =
  (count: number, metric: Metric): Test =>
  (layer, all) =>
    [...all]
      .filter((l) => (l[metric] ?? 0) > 0)
      .sort((a, b) => (b[metric] ?? 0) - (a[metric] ?? 0))
      .slice(0, count)
      .includes(layer);

class Parser {
  readonly #query: string;
  readonly #tokens: readonly Token[];
  readonly #ops: ReadonlySet<string>;
  #at = 0;
  /** Open parentheses; bounds the depth of what follows. */
  #depth = 0;

  constructor(query: string, ops: ReadonlySet<string>) {
    this.#query = query;
    this.#tokens = tokens(query);
    this.#ops = ops;
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#at];
  }

  #is(word: string): boolean {
    const t = this.#peek();
    return t !== undefined && t.kind !== 'text' && t.text.toLowerCase() === word;
  }

  #take(word: string): boolean {
    if (!this.#is(word)) return false;
    this.#at++;
    return true;
  }

  #next(what: string): Token {
    const t = this.#tokens[this.#at++];
    if (t === undefined)
      throw badWord(
        this.#query,
        this.#query.length,
        text(`expected ${what} at the end`, `끝에 ${what}이(가) 있어야 합니다`),
      );
    return t;
  }

  parse(): Test {
    const test = this.#or();
    const left = this.#peek();
    if (left !== undefined)
      throw badWord(this.#query, left.at, text(`unexpected "${left.text}"`, `"${left.text}"이(가) 올 자리가 아닙니다`));
    return test;
  }

  #or(): Test {
    const any = [this.#and()];
    while (this.#take('or')) any.push(this.#and());
    return any.length === 1 && any[0] !== undefined ? any[0] : (l, all) => any.some((t) => t(l, all));
  }

  #and(): Test {
    const every = [this.#not()];
    while (this.#peek() !== undefined && !this.#is('or') && !this.#is(')')) {
      this.#take('and');
      every.push(this.#not());
    }
    return every.length === 1 && every[0] !== undefined ? every[0] : (l, all) => every.every((t) => t(l, all));
  }

  #not(): Test {
    let negative = false;
    while (this.#take('not')) negative = !negative;
    const test = this.#term();
    return negative ? (l, all) => !test(l, all) : test;
  }

  #term(): Test {
    const t = this.#next('a term');
    const word = t.text.toLowerCase();
    if (t.kind === 'sign' && word === '(') {
      if (++this.#depth > 50) throw badWord(this.#query, t.at, text('too many parentheses', '괄호가 너무 많습니다'));
      const inner = this.#or();
      if (!this.#take(')'))
        throw badWord(this.#query, t.at, text('this parenthesis is never closed', '이 괄호가 닫히지 않았습니다'));
      this.#depth--;
      return inner;
    }
    if (t.kind === 'word') {
      if (/^\d+(x\d+)+$/.test(word)) return (l) => l.kernelShape?.join('x') === word;
      if (word === 'op') return this.#op();
      if (word === 'name') return this.#name();
      if (word === 'top') return this.#top();
      const metric = metrics[word];
      if (metric !== undefined) return this.#figure(metric);
      const compare = comparisons[word];
      if (compare !== undefined) return this.#inWords(compare);
      const kind = kinds[word];
      if (kind !== undefined) return kind;
      if (this.#ops.has(word)) return (l) => l.node.op.toLowerCase() === word;
    }
    throw badWord(
      this.#query,
      t.at,
      `"${t.text}" is no operator and no term of a query`,
      'Try: conv 3x3 over 1% of MACs.',
    );
  }

  #sign(...allowed: readonly string[]): string {
    const t = this.#next(allowed.join(' or '));
    if (!allowed.includes(t.text.toLowerCase()))
      throw badWord(
        this.#query,
        t.at,
        text(
          `expected ${allowed.join(' or ')}, found "${t.text}"`,
          `"${t.text}"이(가) 아니라 ${allowed.join(' 또는 ')}이어야 합니다`,
        ),
      );
    return t.text.toLowerCase();
  }

  #op(): Test {
    this.#sign(':', '=');
    const wanted = this.#next('an operator').text.toLowerCase();
    return (l) => l.node.op.toLowerCase() === wanted;
  }

  #name(): Test {
    const sign = this.#sign('~', '=', ':');
    const wanted = this.#next('a name').text;
    return sign === '~'
      ? (l) => l.node.id.includes(wanted) || l.node.name.includes(wanted)
      : (l) => l.node.id === wanted || l.node.name === wanted;
  }

  #metric(): Metric {
    const t = this.#next('macs, parameters or bytes');
    const metric = metrics[t.text.toLowerCase()];
    if (metric === undefined)
      throw badWord(
        this.#query,
        t.at,
        text(
          `expected macs, parameters or bytes, found "${t.text}"`,
          `"${t.text}"이(가) 아니라 macs, parameters, bytes 가운데 하나여야 합니다`,
        ),
      );
    return metric;
  }

  #top(): Test {
    const t = this.#next('a number');
    const count = Number(t.text);
    if (!Number.isInteger(count) || count < 1)
      throw badWord(
        this.#query,
        t.at,
        text(`expected a whole number, found "${t.text}"`, `"${t.text}"이(가) 아니라 정수여야 합니다`),
      );
    this.#sign('by');
    return topOf(count, this.#metric());
  }

  #amount(): Amount {
    const t = this.#next('an amount');
    const amount = amountOf(t.text);
    if (amount === undefined)
      throw badWord(
        this.#query,
        t.at,
        text(
          `expected an amount such as 1% or 10k, found "${t.text}"`,
          `"${t.text}"이(가) 아니라 1%나 10k 같은 양이어야 합니다`,
        ),
      );
    return amount;
  }

  #figure(metric: Metric): Test {
    const sign = this.#sign('>', '>=', '<', '<=', '=', 'over', 'under', 'above', 'below');
    const compare = comparisons[sign] ?? (() => false);
    return compared(metric, compare, this.#amount());
  }

  #inWords(compare: (a: number, b: number) => boolean): Test {
    const amount = this.#amount();
    this.#take('of');
    return compared(this.#metric(), compare, amount);
  }
}

/** Spatial size of a convolution or pooling kernel; null where there is none or it is unknown. */
export const kernelShapeOf = (
  node: Node,
  weight: readonly (number | string | null)[] | null | undefined,
): readonly number[] | null => {
  const said = intsAttr(node, 'kernel_shape');
  if (said !== undefined) return said;
  if (!node.op.startsWith('Conv') || !weight || weight.length < 3) return null;
  const dims = weight.slice(2);
  return dims.every((d) => typeof d === 'number') ? (dims as readonly number[]) : null;
};

/** Ids of the layers that a query picks. Faults: `bad-recipe` with the position of the word it cannot read. */
export function runQuery(query: string, layers: readonly QueryLayer[]): ReadonlySet<string> {
  const ops = new Set([...allOps().map((o) => o.type), ...layers.map((l) => l.node.op)].map((o) => o.toLowerCase()));
  const test = new Parser(query, ops).parse();
  return new Set(layers.filter((l) => test(l, layers)).map((l) => l.node.id));
}
