/** Owns the try dialog: one input, and what the original and the compressed model answer to it, side by side. */
import { useEffect, useMemo, useState } from 'react';
import { type FaultData, toFault } from '#shared/base/fault.ts';
import type { Dim, Model } from '#shared/ir/model.ts';
import type { Feeds } from '#shared/ports/runtime.ts';
import type { Preprocess } from '#shared/recipes/recipe.ts';
import { layoutOf, modelInput } from '#shared/training/model-input.ts';
import { defaultPreprocess, preprocessBatch } from '#shared/training/preprocess.ts';
import { useJobs } from '../../host/use-host.tsx';
import { type Provider, pageProviders } from '../../runtime/page-runtime.ts';
import { recipeOf } from '../../state/document.ts';
import { preprocessText } from '../../state/preprocess-text.ts';
import { activeSteps, resultOf } from '../../state/results.ts';
import { dataOf, useRunPlan } from '../../state/run-plan.ts';
import { useDocument } from '../../state/store.ts';
import { Dialog } from '../../ui/Dialog.tsx';
import { useText } from '../../ui/language.ts';
import { Segmented } from '../../ui/Segmented.tsx';
import { Answers } from './Answers.tsx';
import type { Picked } from './pictures.ts';
import { Source } from './Source.tsx';
import { noiseDb, sharesOf } from './scores.ts';
import { type Answer, useAnswer, usePageRuntime } from './use-answers.ts';
import { words } from './words.ts';
import './try.css';

/** A drawing fits where the input is one small grey square, or as many numbers as one. */
function drawSideOf(model: Model): number | null {
  try {
    const { shape } = modelInput(model);
    const numbers = shape.slice(1).filter((d): d is number => typeof d === 'number');
    if (numbers.length !== shape.length - 1) return null;
    const channel = layoutOf(shape) === 'nchw' ? numbers[0] : numbers[2];
    if (shape.length === 4 && channel !== 1) return null;
    const side = Math.sqrt(numbers.reduce((a: number, b) => a * b, 1));
    return Number.isInteger(side) && side >= 8 && side <= 64 ? side : null;
  } catch {
    return null;
  }
}

/** The model's input for what was picked, or why it does not fit. */
function feedsOf(model: Model, picked: Picked, preprocess: Preprocess): Feeds | FaultData {
  try {
    const input = modelInput(model);
    const info =
      picked.kind === 'image'
        ? ({ kind: 'image', height: picked.height, width: picked.width, channels: picked.channels } as const)
        : ({ kind: 'vector', length: picked.sample.values.length } as const);
    const one = input.batch ?? 1;
    const batch = Array.from({ length: one }, () => picked.sample);
    return { [input.name]: preprocessBatch(batch, info, input, preprocess) };
  } catch (thrown) {
    return toFault(thrown).toData();
  }
}

const isFault = (v: Feeds | FaultData): v is FaultData => typeof (v as { code?: unknown }).code === 'string';
const text = (shape: readonly Dim[]): string => shape.map((d) => d ?? '?').join('×');
export function TryDialog({ onClose }: { readonly onClose: () => void }) {
  const say = useText();
  const open = useDocument((d) => d.open);
  const edit = useDocument((d) => d.edit);
  const jobs = useJobs();
  const plan = useRunPlan();
  const runtime = usePageRuntime();
  const [providers, setProviders] = useState<readonly Provider[]>(['wasm']);
  const [provider, setProvider] = useState<Provider>('wasm');
  const [picked, setPicked] = useState<Picked | null>(null);
  const [classes, setClasses] = useState<readonly string[]>([]);
  useEffect(() => void pageProviders().then(setProviders), []);
  const recipe = recipeOf(edit);
  const preprocess = edit.preprocess ?? open?.preprocess ?? defaultPreprocess;
  const made = open === null ? undefined : resultOf(jobs, open.modelId, recipe)?.result?.modelId;
  const asked = useMemo(
    () => (open === null || picked === null ? null : feedsOf(open.model, picked, preprocess)),
    [open, picked, preprocess],
  );
  const feeds = asked === null || isFault(asked) ? null : asked;
  const before = useAnswer(runtime, open?.modelId ?? null, provider, feeds);
  const after = useAnswer(runtime, made ?? null, provider, feeds);
  const side = useMemo(() => (open === null ? null : drawSideOf(open.model)), [open]);
  if (open === null) return null;
  return (
    <Dialog title={`${say(words.title)} · ${open.name}`} wide onClose={onClose}>
      <div className="try">
        <Source data={dataOf(plan)} drawSide={side} picked={picked} onPick={setPicked} onClasses={setClasses} />
        <div className="try-answers">
          <Answers title={say(words.original)} answer={before} classes={classes} provider={provider} />
          <Answers
            title={say(words.light)}
            answer={after}
            classes={classes}
            provider={provider}
            {...(made === undefined
              ? { instead: <p className="muted">{say(activeSteps(recipe) === 0 ? words.noSteps : words.notYet)}</p> }
              : {})}
          />
        </div>
      </div>
      {asked !== null && isFault(asked) && (
        <p className="danger" role="alert">
          {[asked.message, asked.where, asked.hint].filter(Boolean).join(' · ')}
        </p>
      )}
      <Verdict before={before} after={after} />
      <div className="field-row try-foot">
        <span className="muted small">
          {say(words.pre, { what: preprocessText(preprocess) })} → {text(inputShape(open.model))}
        </span>
        {providers.length > 1 && (
          <Segmented
            label={say(words.runtime)}
            value={provider}
            options={providers.map((p) => ({ value: p, label: p === 'wasm' ? 'WebAssembly' : 'WebGPU' }))}
            onChange={setProvider}
          />
        )}
      </div>
    </Dialog>
  );
}

function inputShape(model: Model): readonly Dim[] {
  try {
    return modelInput(model).shape;
  } catch {
    return [];
  }
}

function Verdict({ before, after }: { readonly before: Answer; readonly after: Answer }) {
  const say = useText();
  if (before.outputs === undefined || after.outputs === undefined) return null;
  const [a, b] = [sharesOf(before.outputs, 1), sharesOf(after.outputs, 1)];
  if (a !== undefined && b !== undefined) {
    const same = a.top[0]?.index === b.top[0]?.index;
    return (
      <p role="status" className={same ? 'try-verdict' : 'try-verdict warn'}>
        {say(same ? words.same : words.different)}
      </p>
    );
  }
  const db = noiseDb(before.outputs, after.outputs);
  if (db === null) return null;
  return (
    <p role="status" className="try-verdict">
      {Number.isFinite(db) ? say(words.sqnr, { db: db.toFixed(1) }) : say(words.identical)}
    </p>
  );
}
