/** Owns the pad on which a digit is drawn: white strokes on black, read as the digits of the data set are. */
import { type PointerEvent, useEffect, useRef } from 'react';
import { Button } from '../../ui/Button.tsx';
import { useText } from '../../ui/language.ts';
import { drawing, type Picked } from './pictures.ts';
import { words } from './words.ts';

/** Pixels of the pad per pixel of the sample. */
const zoom = 8;
/** Width of a stroke in pixels of a 28-pixel sample, as a pen has in the digits. */
const stroke = 2.2;

export function DrawPad({ side, onDraw }: { readonly side: number; readonly onDraw: (p: Picked | null) => void }) {
  const say = useText();
  const ref = useRef<HTMLCanvasElement>(null);
  const size = side * zoom;
  const blank = (): CanvasRenderingContext2D | null => {
    const context = ref.current?.getContext('2d', { willReadFrequently: true }) ?? null;
    if (context !== null) {
      context.fillStyle = '#000';
      context.fillRect(0, 0, size, size);
    }
    return context;
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new size is a new pad
  useEffect(() => void blank(), [size]);
  const at = (e: PointerEvent<HTMLCanvasElement>): readonly [number, number] => {
    const box = e.currentTarget.getBoundingClientRect();
    return [((e.clientX - box.left) * size) / box.width, ((e.clientY - box.top) * size) / box.height];
  };
  const pen = (e: PointerEvent<HTMLCanvasElement>, start: boolean): void => {
    const context = e.currentTarget.getContext('2d', { willReadFrequently: true });
    if (context === null) return;
    const [x, y] = at(e);
    if (start) {
      e.currentTarget.setPointerCapture(e.pointerId);
      context.strokeStyle = '#fff';
      context.lineCap = 'round';
      context.lineJoin = 'round';
      context.lineWidth = (stroke * side * zoom) / 28;
      context.beginPath();
      context.moveTo(x, y);
    }
    context.lineTo(x, y);
    context.stroke();
    onDraw(drawing(context, side));
  };
  return (
    <div className="try-source">
      <canvas
        ref={ref}
        className="try-pad"
        width={size}
        height={size}
        aria-label={say(words.drawHint)}
        onPointerDown={(e) => pen(e, true)}
        onPointerMove={(e) => {
          if (e.buttons === 1) pen(e, false);
        }}
      />
      <div className="field-row">
        <span className="muted small">{say(words.drawHint)}</span>
        <Button
          small
          onClick={() => {
            blank();
            onDraw(null);
          }}
        >
          {say(words.clear)}
        </Button>
      </div>
    </div>
  );
}
