/** Owns rewriteStep: one step of a recipe resolved against a model (parameters, selection, opset) and rewritten. */
import type { ShapeChoice } from '../analysis/figures.ts';
import { inferFacts } from '../analysis/infer-facts.ts';
import { innerGraphs } from '../analysis/inner-graphs.ts';
import { measureFigures } from '../analysis/measure-figures.ts';
import { Fault } from '../base/fault.ts';
import { fieldsSchema } from '../base/fields.ts';
import { parseWith } from '../base/schema.ts';
import { both, type Said, type Text, text } from '../base/text.ts';
import { type Model, opsetVersion } from '../ir/model.ts';
import { asWritten } from '../onnx/as-written.ts';
import type { Ranges, Rewrite, StepContext, Summaries, Taken, Technique } from '../techniques/declare.ts';
import { rewriteEverywhere } from '../techniques/everywhere.ts';
import { techniqueOf } from '../techniques/index.ts';
import { reasonText } from '../techniques/reason-words.ts';
import type { TargetRuntime } from '../techniques/storage-target.ts';
import { convertOpset } from '../transforms/convert-opset.ts';
import type { Step } from './recipe.ts';
import { selectEverywhere } from './select.ts';

export interface StepSettings {
  /** Position in the recipe, from 1: faults name it. */
  readonly number: number;
  readonly seed: number;
  readonly runtime?: TargetRuntime;
  /** The target's opset: no step raises the model above it for size alone. */
  readonly opsetLimit?: number;
  readonly shapes?: ShapeChoice;
  readonly summaries?: Summaries;
  readonly classes?: readonly string[];
  /** Left out in a preview: asking for a range then faults `no-data`. */
  readonly ranges?: Ranges;
}

/** A step ready to be rewritten: what its technique is handed. */
export interface ResolvedStep {
  readonly technique: Technique;
  readonly context: StepContext;
  /** Set where the step had to raise the model's opset: from, to. */
  readonly opset?: { readonly from: number; readonly to: number };
}

export interface RewrittenStep extends ResolvedStep {
  readonly model: Model;
  readonly layers: readonly Taken[];
  readonly notes: readonly Text[];
  readonly findings?: NonNullable<Rewrite['findings']>;
}

const noRanges: Ranges = (value) => {
  throw new Fault('no-data', text('a preview knows no activation ranges', '미리보기는 활성값의 범위를 알지 못합니다'), {
    where: value,
  });
};

/** Parameters checked, opset raised as far as needed, selection resolved. Faults: `bad-recipe`, naming the step. */
export function resolveStep(model: Model, step: Step, settings: StepSettings): ResolvedStep {
  const technique = techniqueOf(step.technique);
  const where = text(`step ${settings.number} (${technique.id})`, `단계 ${settings.number}(${technique.id})`);
  const params = parseWith(fieldsSchema(technique.params), step.params, where, 'bad-recipe');
  const complaint = technique.validate?.(params);
  if (complaint !== undefined) throw new Fault('bad-recipe', complaint, { where });
  const from = opsetVersion(model) ?? 0;
  const needed = technique.needs.opset?.(params) ?? from;
  const smaller = technique.needs.smallerFrom?.(params) ?? needed;
  const to = smaller <= (settings.opsetLimit ?? smaller) ? Math.max(needed, smaller) : needed;
  const raised = to > from ? convertOpset(model, to) : model;
  const facts = inferFacts(raised, settings.shapes);
  const inner = technique.rewriteInside === undefined ? [] : innerGraphs(raised, settings.shapes);
  const { selected, inside } = selectEverywhere(raised, inner, step.select, {
    facts,
    figures: () => measureFigures(raised, settings.shapes),
  });
  return {
    technique,
    context: {
      model: raised,
      facts,
      selected,
      ...(inside.length === 0 ? {} : { inside }),
      params,
      seed: settings.seed,
      ...(settings.runtime === undefined ? {} : { runtime: settings.runtime }),
      ranges: settings.ranges ?? noRanges,
      ...(settings.summaries === undefined ? {} : { summaries: settings.summaries }),
      ...(settings.classes === undefined ? {} : { classes: settings.classes }),
    },
    ...(to > from ? { opset: { from, to } } : {}),
  };
}

/** Where a technique listed no layer at all: what it says of the first that was selected. */
function whyNot({ technique, context }: ResolvedStep): Said | undefined {
  const [first] = context.selected;
  const fit = first === undefined ? undefined : technique.fits(first, context);
  return fit === undefined || fit.fits ? undefined : fit.reason;
}

/** Rewrites a resolved step. A step that fits nothing in its selection is a `bad-recipe` fault with the first reason. */
export function finishStep(resolved: ResolvedStep, number: number): RewrittenStep {
  const { technique, context, opset } = resolved;
  const rewrite = rewriteEverywhere(technique, context);
  const layers = rewrite.layers.map((l) => (l.taken ? l : { ...l, reason: reasonText(l.reason) }));
  if (!layers.some((l) => l.taken)) {
    const refused = layers.find((l) => !l.taken);
    const why = refused === undefined || refused.taken ? whyNot(resolved) : refused.reason;
    throw new Fault(
      'bad-recipe',
      text(
        `step ${number} (${technique.id}) fits nothing in its selection`,
        `단계 ${number}(${technique.id})에 맞는 레이어가 선택에 없습니다`,
      ),
      {
        where: refused?.id ?? `${context.selected.length} layers selected`,
        ...(why === undefined ? {} : { hint: both((say) => `${capital(say(why))}.`) }),
      },
    );
  }
  const raised =
    opset === undefined
      ? []
      : [
          text(
            `Raises the model from opset ${opset.from} to ${opset.to}, which this step needs.`,
            `이 단계에 필요하여 모델의 opset을 ${opset.from}에서 ${opset.to}(으)로 올립니다.`,
          ),
        ];
  const model = asWritten(rewrite.model);
  return {
    ...resolved,
    model,
    layers,
    notes: [...raised, ...rewrite.notes],
    ...(rewrite.findings === undefined ? {} : { findings: rewrite.findings }),
  };
}

/** Resolves and rewrites. */
export const rewriteStep = (model: Model, step: Step, settings: StepSettings): RewrittenStep =>
  finishStep(resolveStep(model, step, settings), settings.number);

const capital = (sentence: string): string => sentence.charAt(0).toUpperCase() + sentence.slice(1).replace(/\.$/, '');
