/** Owns what a comparison says: agreement and distance of the outputs, and the layers where the error enters. */
import type { Comparison } from '#shared/contract/calls.ts';
import { fullCount, percent, shortNumber } from '../../ui/format.ts';
import { useText } from '../../ui/language.ts';
import { words } from './words.ts';

const worst = 12;

export function CompareResult({ comparison: c }: { readonly comparison: Comparison }) {
  const say = useText();
  const layers = [...c.layers].sort((a, b) => (a.sqnrDb ?? Infinity) - (b.sqnrDb ?? Infinity)).slice(0, worst);
  const said = [
    c.agreement === null ? null : say(words.agreement, { share: percent(c.agreement), n: fullCount(c.samples) }),
    c.sqnrDb === null ? say(words.identical) : say(words.sqnr, { db: c.sqnrDb.toFixed(1) }),
    say(words.maxError, { error: shortNumber(c.maxAbsError) }),
  ];
  return (
    <>
      <p className="small">{said.filter((s) => s !== null).join(' · ')}</p>
      {layers.length > 0 && (
        <table className="result-table">
          <caption className="muted small">{say(words.layersCaption)}</caption>
          <thead>
            <tr>
              <th scope="col">{say(words.layer)}</th>
              <th scope="col">{say(words.noise)}</th>
              <th scope="col">{say(words.error)}</th>
            </tr>
          </thead>
          <tbody>
            {layers.map((l) => (
              <tr key={l.name}>
                <th scope="row" className="mono">
                  {l.name}
                </th>
                <td>{l.sqnrDb === null ? '∞' : `${l.sqnrDb.toFixed(1)} dB`}</td>
                <td>{shortNumber(l.maxAbsError)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}
