/** Owns worksOf: what every kernel of a model has to do once the runtime has fused its nodes. */
import type { LayerWork } from '../../devices/layer-work.ts';
import type { Model, Node } from '../../ir/model.ts';
import type { Facts } from '../../ops/declare.ts';
import { sizeOf } from '../../ops/fold.ts';
import type { ShapeChoice } from '../figures.ts';
import { inferScope, type Scope } from '../infer-facts.ts';
import { bytesOf } from '../peak-memory.ts';
import { plus, workOf } from '../work-of.ts';
import { type Fusions, fusionsOf } from './fusions.ts';
import { classOf, dynamicOps, shapeOf, typeOf, weightSlot } from './layer-kind.ts';
import { overridableOf } from './overridable.ts';

export interface Works {
  /** In graph order. */
  readonly layers: readonly LayerWork[];
  /** Nodes that only give a value another shape. */
  readonly views: number;
  /** Operators without a rule for their work, by name, once a node: layers of class 'other' with unknown work. */
  readonly notCounted: readonly string[];
}

/** Bytes of a value as a kernel handles it: one an element where it computes on integers. */
const bytesAs = (facts: Facts | undefined, integer: boolean): number | null =>
  integer ? sizeOf(facts?.shape) : bytesOf(facts);

function outputsOf(p: number, { wiring }: Scope): readonly number[] {
  return [...wiring.outputs.subarray(wiring.outputStart[p] ?? 0, wiring.outputStart[p + 1] ?? 0)].filter(
    (id) => id >= 0,
  );
}

function inputsOf(p: number, { wiring }: Scope): Int32Array {
  return wiring.inputs.subarray(wiring.inputStart[p] ?? 0, wiring.inputStart[p + 1] ?? 0);
}

/** What the nodes of one kernel read from elsewhere. */
interface Traffic {
  read: number | null;
  constants: number | null;
  decoded: number;
  readonly from: Set<number>;
}

class Layers {
  readonly made: LayerWork[] = [];
  readonly notCounted: string[] = [];
  #views = 0;
  readonly #scope: Scope;
  readonly #fusions: Fusions;
  /** Layer that makes each value, by number; -1: none. */
  readonly #madeBy: Int32Array;
  readonly #overridable: ReadonlySet<number>;
  readonly #parts: readonly (readonly number[])[];

  constructor(scope: Scope) {
    this.#scope = scope;
    this.#overridable = overridableOf(scope);
    this.#fusions = fusionsOf(scope, this.#overridable);
    this.#madeBy = new Int32Array(scope.wiring.names.length).fill(-1);
    const parts: number[][] = scope.graph.nodes.map(() => []);
    for (const p of scope.wiring.order) parts[this.#fusions.owner[p] ?? -1]?.push(p);
    this.#parts = parts;
  }

  all(): Works {
    const { wiring, graph } = this.#scope;
    const waiting = Int32Array.from(this.#parts, (parts) => parts.length);
    for (const p of wiring.order) {
      const owner = this.#fusions.owner[p] ?? -1;
      const node = graph.nodes[owner];
      if (owner < 0) this.#pass(p);
      else {
        waiting[owner] = (waiting[owner] ?? 0) - 1;
        // A kernel runs when the last of its nodes could: a sum's other operand may come late.
        if (waiting[owner] === 0 && node !== undefined) this.#add(node, owner);
      }
    }
    return { layers: this.made, views: this.#views, notCounted: this.notCounted };
  }

  /** A node without a kernel passes on who made what it reads. */
  #pass(p: number): void {
    const from = this.#madeBy[inputsOf(p, this.#scope)[0] ?? -1] ?? -1;
    const node = this.#scope.graph.nodes[p];
    const first = this.#scope.facts.at(outputsOf(p, this.#scope)[0] ?? -1);
    if (node !== undefined && first?.constant !== true && workOf(node, p, this.#scope).work?.kernel === 'view')
      this.#views++;
    for (const id of outputsOf(p, this.#scope)) this.#madeBy[id] = from;
  }

  #traffic(node: Node, main: number, inside: ReadonlySet<number>, int8: boolean): Traffic {
    const { wiring, facts, graph } = this.#scope;
    const out: Traffic = { read: 0, constants: 0, decoded: 0, from: new Set() };
    const integer = this.#fusions.integer[main] === 1;
    const met = new Set<number>();
    for (const p of this.#parts[main] ?? []) {
      for (const [k, id] of inputsOf(p, this.#scope).entries()) {
        if (id < 0 || inside.has(id) || met.has(id)) continue;
        met.add(id);
        const its = facts.at(id);
        if (its?.constant !== true) {
          out.read = plus(out.read, bytesAs(its, integer));
          const maker = this.#madeBy[id] ?? -1;
          if (maker >= 0) out.from.add(maker);
        } else if (p === main) {
          out.constants = plus(out.constants, bytesAs(its, int8 && k === weightSlot(node)));
          const decodes = graph.nodes[wiring.producer[id] ?? -1]?.op === 'DequantizeLinear';
          if (!integer && decodes) out.decoded += sizeOf(its.shape) ?? 0;
        }
      }
    }
    return out;
  }

  /** Bytes that somebody beyond the kernel reads. */
  #written(main: number, inside: ReadonlySet<number>): number | null {
    const { owner, integer } = this.#fusions;
    let bytes: number | null = 0;
    for (const id of inside)
      if (this.#fusions.readers(id).some((r) => r < 0 || owner[r] !== main))
        bytes = plus(bytes, bytesAs(this.#scope.facts.at(id), integer[main] === 1));
    return bytes;
  }

  #otherOps(own: number | null, main: number): number | null {
    const { graph, facts } = this.#scope;
    let sum = own;
    for (const p of this.#parts[main] ?? []) {
      const op = graph.nodes[p]?.op ?? '';
      // A normalisation is folded into the weights, the ends of an integer group into its arithmetic.
      if (p === main || op === 'BatchNormalization' || op.endsWith('quantizeLinear') || op === 'QuantizeLinear')
        continue;
      sum = plus(sum, sizeOf(facts.at(outputsOf(p, this.#scope)[0] ?? -1)?.shape));
    }
    return sum;
  }

  #add(node: Node, main: number): void {
    const { graph, facts } = this.#scope;
    const parts = this.#parts[main] ?? [];
    const inside = new Set(parts.flatMap((p) => outputsOf(p, this.#scope)));
    const { work, notCounted } = workOf(node, main, this.#scope);
    this.notCounted.push(...notCounted);
    const given = [...inputsOf(main, this.#scope)].map((id) => (id < 0 ? undefined : facts.at(id)));
    const slot = weightSlot(node);
    const left = given[0]?.constant === true && given[slot]?.constant !== true;
    const kernel = classOf(work?.kernel, node, left || given[slot]?.constant === true);
    const type = typeOf(node, (left ? given[slot] : given[0])?.elem, this.#fusions.integer[main] === 1);
    const traffic = this.#traffic(node, main, inside, type === 'int8');
    const more = parts.filter((p) => p !== main);
    for (const id of inside) this.#madeBy[id] = this.made.length;
    this.made.push({
      id: node.id,
      op: node.op,
      kernel,
      type,
      dynamic: dynamicOps.has(node.op),
      shape: shapeOf(node, kernel, given[0], given[slot], facts.at(outputsOf(main, this.#scope)[0] ?? -1)),
      macs: work === undefined ? null : work.macs,
      otherOps: this.#otherOps(work?.otherOps ?? null, main),
      bytesRead: traffic.read,
      bytesWritten: this.#written(main, inside),
      weightBytes: traffic.constants,
      decodedPerCall: traffic.decoded,
      ...(this.#overridable.has(inputsOf(main, this.#scope)[left ? 0 : slot] ?? -1) ? { overridable: true } : {}),
      fused: more.map((p) => graph.nodes[p]?.id ?? ''),
      fusedOps: more.map((p) => graph.nodes[p]?.op ?? ''),
      reads: [...traffic.from],
    });
  }
}

/** The kernels of a model, batch 1 unless `shapes` says otherwise. Faults: as `inferFacts`. */
export const worksOf = (model: Model, shapes?: ShapeChoice): Works =>
  new Layers(inferScope(model, shapes, { batch: 1 })).all();
