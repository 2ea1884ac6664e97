/** Owns how a gain is printed: as a row of four figures on an open card, as one line on a closed one. */
import type { Text } from '#shared/base/text.ts';
import { percent, shortBytes, shortCount } from '../../ui/format.ts';
import { useText } from '../../ui/language.ts';
import type { Gain, Totals } from './gain.ts';
import { words } from './words.ts';

interface Column {
  readonly title: Text;
  readonly of: (f: Totals) => number | null;
  readonly print: (n: number) => string;
}

const columns: readonly Column[] = [
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
  if (share !== 0 && Math.abs(share) < 0.0005) return `${share < 0 ? '−' : '+'}<0.1\u202f%`;
  return `${share < 0 ? '−' : '+'}${percent(Math.abs(share), Math.abs(share) < 0.1 ? 1 : 0)}`;
}

type Good = Extract<Gain, { ok: true }>;

function cells(gain: Good) {
  return columns.map((c) => {
    const before = c.of(gain.before);
    const after = c.of(gain.after);
    return {
      title: c.title,
      text: change(before, after),
      same: before === after && before !== null,
      worse: before !== null && after !== null && after > before,
      full: before === null || after === null ? '' : `${c.print(before)} → ${c.print(after)}`,
    };
  });
}

export function GainRow({ gain }: { readonly gain: Good }) {
  const say = useText();
  return (
    <dl className="gain">
      {cells(gain).map((c) => (
        <div key={c.title.en} title={c.full}>
          <dt>{say(c.title)}</dt>
          <dd className={`${c.same ? 'same' : 'estimated'} ${c.worse ? 'worse' : ''}`}>
            {c.same ? say(words.same) : c.text}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Whether the line is short enough to stand beside the title. */
export const isShort = (gain: Good): boolean => cells(gain).filter((c) => !c.same).length < 2;

/** Only what changes; parameters are left to the open card, where the file says the same. */
export function GainLine({ gain }: { readonly gain: Good }) {
  const say = useText();
  const moved = cells(gain).filter((c) => !c.same);
  const shown = moved.length > 3 ? moved.filter((c) => c.title !== words.parameters) : moved;
  if (shown.length === 0)
    return <p className="muted small">{say(gain.exactness === 'training' ? words.learns : words.sameSize)}</p>;
  return (
    <dl className="gain-line">
      {shown.map((c) => (
        <div key={c.title.en} title={c.full}>
          <dt>{say(c.title)}</dt>
          <dd className={`estimated ${c.worse ? 'worse' : ''}`}>{c.text}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A file that is smaller by less is no saving to speak of. */
const noticed = 0.995;

/** The best that one of these would do to the file: "file −74 %"; undefined where none makes it smaller. */
export function bestFile(gains: readonly (Gain | null)[]): string | undefined {
  let best: Good | undefined;
  for (const g of gains)
    if (g?.ok && g.after.fileBytes < (best?.after.fileBytes ?? g.before.fileBytes * noticed)) best = g;
  return best === undefined ? undefined : change(best.before.fileBytes, best.after.fileBytes);
}
