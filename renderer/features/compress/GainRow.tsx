/** Owns the row of figures on a card: what file, parameters, MACs and memory would change by. */
import type { Text } from '#shared/base/text.ts';
import { percent, shortBytes, shortCount } from '../../ui/format.ts';
import { useText } from '../../ui/language.ts';
import type { Gain, Totals } from './gain.ts';
import { words } from './words.ts';

const columns: readonly {
  readonly title: Text;
  readonly of: (f: Totals) => number | null;
  readonly print: (n: number) => string;
}[] = [
  { title: words.file, of: (f) => f.fileBytes, print: shortBytes },
  { title: words.parameters, of: (f) => f.parameters, print: shortCount },
  { title: words.macs, of: (f) => f.macs, print: shortCount },
  { title: words.memory, of: (f) => f.peakActivationBytes, print: shortBytes },
];

/** Signed share of what there was: "−41 %"; unknown stays unknown. */
function change(before: number | null, after: number | null): string {
  if (before === null || after === null) return '?';
  if (before === 0) return after === 0 ? '0' : '+';
  const share = after / before - 1;
  return `${share < 0 ? '−' : '+'}${percent(Math.abs(share), Math.abs(share) < 0.1 ? 1 : 0)}`;
}

export function GainRow({ gain }: { readonly gain: Extract<Gain, { ok: true }> }) {
  const say = useText();
  return (
    <dl className="gain">
      {columns.map((c) => {
        const before = c.of(gain.before);
        const after = c.of(gain.after);
        const same = before === after && before !== null;
        const worse = before !== null && after !== null && after > before;
        return (
          <div
            key={c.title.en}
            title={before === null || after === null ? '' : `${c.print(before)} → ${c.print(after)}`}
          >
            <dt>{say(c.title)}</dt>
            <dd className={`${same ? 'same' : 'estimated'} ${worse ? 'worse' : ''}`}>
              {same ? say(words.same) : change(before, after)}
            </dd>
          </div>
        );
      })}
    </dl>
  );
}
