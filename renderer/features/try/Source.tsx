/** Owns where the input comes from: a drawing, a sample of the data set, or a picture from this machine. */
import { RefreshCw } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { type FaultData, toFault } from '#shared/base/fault.ts';
import { useCall } from '../../host/use-host.tsx';
import { Button } from '../../ui/Button.tsx';
import { useFault, useText } from '../../ui/language.ts';
import { Segmented } from '../../ui/Segmented.tsx';
import { DrawPad } from './DrawPad.tsx';
import { type Picked, paint, pictureFile } from './pictures.ts';
import { words } from './words.ts';

type Kind = 'sample' | 'draw' | 'picture';

export interface SourceProps {
  /** Data set of the samples; '' where there is none. */
  readonly data: string;
  /** Side of the pad where a drawing fits this model. */
  readonly drawSide: number | null;
  readonly picked: Picked | null;
  readonly onPick: (p: Picked | null) => void;
  readonly onClasses: (names: readonly string[]) => void;
}

export function Source({ data, drawSide, picked, onPick, onClasses }: SourceProps) {
  const say = useText();
  const [kind, setKind] = useState<Kind>(data === '' && drawSide !== null ? 'draw' : 'sample');
  const options = [
    { value: 'sample' as const, label: say(words.sample) },
    ...(drawSide === null ? [] : [{ value: 'draw' as const, label: say(words.draw) }]),
    { value: 'picture' as const, label: say(words.picture) },
  ];
  return (
    <section className="try-input" aria-label={say(words.input)}>
      <Segmented
        label={say(words.input)}
        value={kind}
        options={options}
        onChange={(k) => {
          setKind(k);
          onPick(null);
        }}
      />
      {kind === 'draw' && drawSide !== null && <DrawPad side={drawSide} onDraw={onPick} />}
      {kind === 'sample' && <FromData data={data} picked={picked} onPick={onPick} onClasses={onClasses} />}
      {kind === 'picture' && <FromFile picked={picked} onPick={onPick} />}
    </section>
  );
}

function Shown({ picked }: { readonly picked: Picked | null }) {
  const ref = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (ref.current !== null && picked?.kind === 'image') paint(ref.current, picked);
  }, [picked]);
  return picked?.kind === 'image' ? <canvas ref={ref} className="try-pad" /> : <div className="try-pad empty" />;
}

/** Samples fetched at once, so that the next one is there when it is asked for. */
const fetched = 16;

function FromData({ data, picked, onPick, onClasses }: Omit<SourceProps, 'drawSide'>) {
  const say = useText();
  const inWords = useFault();
  const [at, setAt] = useState(0);
  const found = useCall(
    'someSamples',
    data === '' ? null : { data, seed: 1 + Math.floor(at / fetched), count: fetched },
  );
  const value = found.state === 'done' ? found.value : null;
  const s = value?.samples[at % fetched];
  // biome-ignore lint/correctness/useExhaustiveDependencies: a sample is picked when it arrives or is stepped to
  useEffect(() => {
    if (value === null || s === undefined) return;
    const values = new Float32Array(s.values.slice().buffer);
    const { height, width, label } = s;
    onClasses(value.classes);
    onPick({
      kind: value.kind,
      channels: value.channels,
      height,
      width,
      sample: { values, height, width, label },
      label: label === null ? null : (value.classes[label] ?? String(label)),
    });
  }, [value, s]);
  if (data === '') return <p className="muted">{say(words.noData)}</p>;
  return (
    <div className="try-source">
      <Shown picked={picked} />
      {found.state === 'fault' && (
        <p className="danger" role="alert">
          {inWords(found.fault).message}
        </p>
      )}
      <p className="muted small">
        {value === null ? say(words.opening) : say(words.fromSplit, { split: value.split, data })}
        {typeof picked?.label === 'string' && (
          <>
            {' · '}
            <strong>{say(words.label, { label: picked.label })}</strong>
          </>
        )}
      </p>
      <Button small icon={<RefreshCw />} disabled={value === null} onClick={() => setAt((n) => n + 1)}>
        {say(words.another)}
      </Button>
    </div>
  );
}

function FromFile({ picked, onPick }: { readonly picked: Picked | null; readonly onPick: (p: Picked) => void }) {
  const say = useText();
  const inWords = useFault();
  const input = useRef<HTMLInputElement>(null);
  const [fault, setFault] = useState<FaultData | null>(null);
  const take = (file: File | undefined): void => {
    if (file === undefined) return;
    setFault(null);
    pictureFile(file, file.name).then(onPick, (thrown: unknown) => setFault(toFault(thrown).toData()));
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: a drop target beside a button that does the same
    <div
      className="try-source"
      onDragOver={(e) => e.preventDefault()}
      onDrop={(e) => {
        e.preventDefault();
        e.stopPropagation();
        take(e.dataTransfer.files[0]);
      }}
    >
      <Shown picked={picked} />
      <input
        ref={input}
        type="file"
        accept="image/png,image/jpeg"
        hidden
        aria-label={say(words.choosePicture)}
        onChange={(e) => take(e.currentTarget.files?.[0])}
      />
      <Button small onClick={() => input.current?.click()}>
        {say(words.choosePicture)}
      </Button>
      <p className="muted small">{say(words.pictureHint)}</p>
      {fault !== null && (
        <p className="danger" role="alert">
          {[inWords(fault).message, inWords(fault).hint].filter(Boolean).join('. ')}
        </p>
      )}
    </div>
  );
}
