/** Owns a finished run's table: before, predicted, read back from the file; and what was measured of both. */
import { Check, TriangleAlert } from 'lucide-react';
import type { Evaluation, Headline, JobResult } from '#shared/contract/calls.ts';
import { preprocessText } from '../../state/preprocess-text.ts';
import { sameWithin } from '../../state/results.ts';
import { fullCount, milliseconds, percent, ratio, shortBytes, shortCount } from '../../ui/format.ts';
import { useText } from '../../ui/language.ts';
import { words } from './words.ts';

const rows = [
  { title: words.parameters, of: (h: Headline) => h.parameters, print: shortCount, full: fullCount },
  { title: words.file, of: (h: Headline) => h.fileBytes, print: shortBytes, full: fullCount },
  { title: words.macs, of: (h: Headline) => h.macs, print: shortCount, full: fullCount },
  { title: words.memory, of: (h: Headline) => h.peakActivationBytes, print: shortBytes, full: fullCount },
] as const;

const accuracyText = (e: Evaluation): string => percent(e.top1, 2);

/** Times within two per cent of each other are no gain. */
const ratioUnlessNear = (a: number, b: number): string => (Math.abs(Math.log(a / b)) < 0.02 ? '' : ratio(a, b));

/** What an accuracy was measured on, and how sure it is. */
export function Provenance({ of: e }: { readonly of: Evaluation }) {
  const say = useText();
  const said = say(words.samples, { n: fullCount(e.samples), split: e.split, data: e.data });
  const interval = e.interval95;
  return (
    <p className="muted small">
      {said}
      {` · ${say(words.preOf, { what: preprocessText(e.preprocess) })}`}
      {interval !== null && ` · ${say(words.interval, { from: percent(interval[0], 2), to: percent(interval[1], 2) })}`}
    </p>
  );
}

export function ResultTable({ result }: { readonly result: JobResult }) {
  const say = useText();
  const { before, predicted, after, evaluation } = result;
  if (before === undefined || predicted === undefined || after === undefined) return null;
  const equal = rows.every((r) => r.of(predicted) === r.of(after));
  return (
    <>
      <table className="result-table">
        <thead>
          <tr>
            <th scope="col">
              <span className="visually-hidden">{say(words.figure)}</span>
            </th>
            <th scope="col">{say(words.before)}</th>
            <th scope="col">{say(words.predicted)}</th>
            <th scope="col">{say(words.after)}</th>
            <td />
          </tr>
        </thead>
        <tbody>
          {rows.map((r) => {
            const [a, p, b] = [r.of(before), r.of(predicted), r.of(after)];
            return (
              <tr key={r.title.en}>
                <th scope="row">{say(r.title)}</th>
                <td title={r.full(a)}>{r.print(a)}</td>
                <td title={r.full(p)} className="muted">
                  {r.print(p)}
                </td>
                <td title={r.full(b)}>
                  <strong>{r.print(b)}</strong>
                </td>
                <td className="gain-ratio">{a !== null && b !== null && a !== b ? ratio(a, b) : ''}</td>
              </tr>
            );
          })}
          {evaluation !== undefined && evaluation.after.top1 !== null && (
            <tr>
              <th scope="row">{say(words.accuracy)}</th>
              <td>{accuracyText(evaluation.before)}</td>
              <td className="muted">—</td>
              <td>
                <strong>{accuracyText(evaluation.after)}</strong>
              </td>
              <td className="muted small">
                {sameWithin(evaluation.before, evaluation.after) ? say(words.noDifference) : ''}
              </td>
            </tr>
          )}
          {evaluation !== undefined && (
            <tr>
              <th scope="row">{say(words.latency)}</th>
              <td>{milliseconds(evaluation.before.latencyMs.median)}</td>
              <td className="muted">—</td>
              <td>
                <strong>{milliseconds(evaluation.after.latencyMs.median)}</strong>
              </td>
              <td className="gain-ratio">
                {ratioUnlessNear(evaluation.before.latencyMs.median, evaluation.after.latencyMs.median)}
              </td>
            </tr>
          )}
        </tbody>
      </table>
      <p className={equal ? 'said small' : 'said warn small'}>
        {equal ? <Check /> : <TriangleAlert />}
        {say(equal ? words.exact : words.unequal)}
      </p>
      {evaluation !== undefined && <Provenance of={evaluation.after} />}
    </>
  );
}
