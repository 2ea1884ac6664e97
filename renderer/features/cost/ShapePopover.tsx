/** Owns setting the sizes that a file leaves open, input by input, as numbers. */
import { useState } from 'react';
import type { Dim, Model } from '#shared/ir/model.ts';
import { dispatch, useDocument } from '../../state/store.ts';
import { Button } from '../../ui/Button.tsx';
import { useText } from '../../ui/language.ts';
import { Popover } from '../../ui/Popover.tsx';
import { words } from './words.ts';

interface OpenInput {
  readonly name: string;
  readonly shape: readonly Dim[];
}

/** Inputs that the caller feeds and whose size the file leaves open. */
function openInputs(model: Model): readonly OpenInput[] {
  const stored = new Set(model.graph.initializers.map((t) => t.name));
  return model.graph.inputs.flatMap((i) =>
    !stored.has(i.name) && i.type.kind === 'tensor' && i.type.shape?.some((d) => typeof d !== 'number')
      ? [{ name: i.name, shape: i.type.shape }]
      : [],
  );
}

function InputRow({ input, close }: { readonly input: OpenInput; readonly close: () => void }) {
  const say = useText();
  const set = useDocument((d) => d.edit.shapes[input.name]);
  const [dims, setDims] = useState(() =>
    input.shape.map((d, i) => String(set?.[i] ?? (typeof d === 'number' ? d : i === 0 ? 1 : ''))),
  );
  const numbers = dims.map(Number);
  const sound = dims.every((d) => /^\d+$/.test(d)) && numbers.every((n) => n >= 1 && n <= 1e6);
  return (
    <form
      className="shape-row"
      onSubmit={(e) => {
        e.preventDefault();
        if (!sound) return;
        dispatch({ type: 'shape-set', input: input.name, dims: numbers });
        close();
      }}
    >
      <span className="mono">{input.name}</span>
      <span className="shape-dims">
        {input.shape.map((d, i) => (
          <input
            // biome-ignore lint/suspicious/noArrayIndexKey: a dimension is its index
            key={i}
            className="text-input"
            inputMode="numeric"
            aria-label={say(words.dim, { input: input.name, n: i + 1 })}
            placeholder={typeof d === 'string' ? d : '?'}
            disabled={typeof d === 'number'}
            value={dims[i] ?? ''}
            onChange={(e) => setDims(dims.map((v, k) => (k === i ? e.currentTarget.value : v)))}
          />
        ))}
      </span>
      <span className="shape-buttons">
        <Button
          small
          look="quiet"
          disabled={set === undefined}
          onClick={() => dispatch({ type: 'shape-set', input: input.name, dims: null })}
        >
          {say(words.reset)}
        </Button>
        <button type="submit" className="btn primary small" disabled={!sound}>
          {say(words.apply)}
        </button>
      </span>
    </form>
  );
}

export function ShapePopover() {
  const say = useText();
  const model = useDocument((d) => d.open?.model);
  const inputs = model === undefined ? [] : openInputs(model);
  if (inputs.length === 0) return null;
  return (
    <Popover
      label={say(words.shapeTitle)}
      trigger={({ open, toggle }) => (
        <button type="button" className="link" aria-expanded={open} onClick={toggle}>
          {say(words.setShape)}
        </button>
      )}
    >
      {(close) => (
        <div className="shape">
          <strong>{say(words.shapeTitle)}</strong>
          {inputs.map((input) => (
            <InputRow key={input.name} input={input} close={close} />
          ))}
        </div>
      )}
    </Popover>
  );
}
