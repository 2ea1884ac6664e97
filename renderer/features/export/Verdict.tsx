/** Owns what an export says at its end: where the file is, and what was found on opening it again. */
import { Check, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { shortBytes, shortCount, shortNumber } from '../../ui/format.ts';
import { useText } from '../../ui/language.ts';
import type { Exported } from './export-run.ts';
import { words } from './words.ts';

const Line = ({ good, children }: { readonly good: boolean; readonly children: ReactNode }) => (
  <li className={good ? '' : 'warn'}>
    {good ? <Check /> : <TriangleAlert />}
    <span>{children}</span>
  </li>
);

export function Verdict({ exported, name }: { readonly exported: Exported; readonly name: string }) {
  const say = useText();
  const { saved, verified, downloaded } = exported;
  const { after, loads, maxAbsError } = verified;
  const where = downloaded
    ? say(words.downloaded, { name })
    : saved === null
      ? say(words.notSaved)
      : say(words.saved, { path: saved });
  return (
    <ul className="verdict" data-verdict={loads ? 'good' : 'bad'}>
      <Line good={downloaded || saved !== null}>{where}</Line>
      <Line good={loads}>{say(loads ? words.opens : words.doesNotOpen)}</Line>
      <Line good={maxAbsError < 1e-3}>
        {maxAbsError === 0 ? say(words.sameOutputs) : say(words.outputs, { error: shortNumber(maxAbsError) })}
      </Line>
      <Line good>
        {say(words.figures, {
          parameters: shortCount(after.parameters),
          file: shortBytes(after.fileBytes),
          macs: shortCount(after.macs),
        })}
      </Line>
    </ul>
  );
}
