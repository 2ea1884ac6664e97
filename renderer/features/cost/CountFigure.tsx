/** Owns the four figures that are counted: parameters, file, MACs, peak memory; unknown ones say why and offer the mend. */
import type { Figures } from '#shared/analysis/figures.ts';
import type { Text } from '#shared/base/text.ts';
import { ratio, shortBytes, shortCount } from '../../ui/format.ts';
import { useText } from '../../ui/language.ts';
import { Tooltip } from '../../ui/Tooltip.tsx';
import { Figure } from './Figure.tsx';
import { ShapePopover } from './ShapePopover.tsx';
import { words } from './words.ts';

interface Count {
  readonly id: string;
  readonly title: Text;
  readonly of: (f: Omit<Figures, 'layers' | 'nodes'>) => number | null;
  readonly print: (n: number | null) => string;
  readonly less: Text;
  /** Depends on rules of operators: those without one are named. */
  readonly byRules: boolean;
}

export const counts: readonly Count[] = [
  {
    id: 'parameters',
    title: words.parameters,
    of: (f) => f.parameters,
    print: shortCount,
    less: words.fewer,
    byRules: false,
  },
  { id: 'file', title: words.file, of: (f) => f.fileBytes, print: shortBytes, less: words.smaller, byRules: false },
  { id: 'macs', title: words.macs, of: (f) => f.macs, print: shortCount, less: words.fewer, byRules: true },
  {
    id: 'memory',
    title: words.memory,
    of: (f) => f.peakActivationBytes,
    print: shortBytes,
    less: words.smaller,
    byRules: true,
  },
];

export interface CountFigureProps {
  readonly count: Count;
  readonly before: Figures | null;
  readonly now: Omit<Figures, 'layers' | 'nodes'> | null;
  /** A finished job wrote exactly this: the figures stand in its file. */
  readonly readBack: boolean;
}

export function CountFigure({ count, before, now, readBack }: CountFigureProps) {
  const say = useText();
  if (before === null || now === null)
    return (
      <Figure id={count.id} title={say(count.title)} before={null} now={<strong>—</strong>} share={null} line="" />
    );
  const [a, b] = [count.of(before), count.of(now)];
  const missing = count.byRules ? now.notCounted : [];
  const badge =
    missing.length === 0 ? undefined : (
      <Tooltip text={say(words.notCountedWhy, { ops: missing.map((m) => `${m.op} ×${m.nodes}`).join(', ') })}>
        <span className="badge warn">{say(words.notCounted, { n: missing.reduce((n, m) => n + m.nodes, 0) })}</span>
      </Tooltip>
    );
  if (b === null)
    return (
      <Figure
        id={count.id}
        title={say(count.title)}
        badge={badge}
        before={a === null ? null : count.print(a)}
        now={<strong className="unknown">{say(words.unknown)}</strong>}
        why={say(words.whyUnknown)}
        share={null}
        line={<ShapePopover />}
      />
    );
  const changed = a !== null && a !== b;
  const worse = a !== null && b > a;
  const line = !changed
    ? ''
    : worse
      ? say(words.more, { ratio: ratio(b, a) })
      : say(count.less, { ratio: ratio(a, b) });
  const estimated = changed && !readBack;
  return (
    <Figure
      id={count.id}
      title={say(count.title)}
      badge={badge}
      before={changed ? count.print(a) : null}
      now={<strong className={estimated ? 'estimated' : ''}>{count.print(b)}</strong>}
      why={say(!changed ? words.fromFile : readBack ? words.readBack : words.estimated)}
      share={!changed || a === 0 ? null : b / a}
      worse={worse}
      line={line}
    />
  );
}
