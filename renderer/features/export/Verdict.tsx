/** Owns what an export says at its end: where the file is, and what was found on opening it again. */
import { Check, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import type { BrowserCheck } from '#shared/contract/browser-check.ts';
import { ratio, shortBytes, shortCount, shortNumber } from '../../ui/format.ts';
import { useText } from '../../ui/language.ts';
import type { Archived, Exported } from './export-run.ts';
import { words } from './words.ts';

const Line = ({ good, children }: { readonly good: boolean; readonly children: ReactNode }) => (
  <li className={good ? '' : 'warn'}>
    {good ? <Check /> : <TriangleAlert />}
    <span>{children}</span>
  </li>
);

/** The same of an archive: packing unpacks and compares before it hands anything over. */
export function ArchiveVerdict({ archived: a }: { readonly archived: Archived }) {
  const say = useText();
  const where = a.downloaded
    ? say(words.downloaded, { name: a.name })
    : a.saved === null
      ? say(words.notSaved)
      : say(words.saved, { path: a.saved });
  const sizes = { file: shortBytes(a.fileBytes), archive: shortBytes(a.archiveBytes) };
  return (
    <ul className="verdict" data-verdict="good">
      <Line good={a.downloaded || a.saved !== null}>{where}</Line>
      <Line good>{say(words.packedInto, { ...sizes, ratio: ratio(a.fileBytes, a.archiveBytes) })}</Line>
      <Line good>{say(words.givesBack)}</Line>
    </ul>
  );
}

function browserSaid({ runtime, loads, why = '', maxAbsError }: BrowserCheck, say: ReturnType<typeof useText>): string {
  if (!loads) return say(words.browserDoesNot, { runtime, why });
  return maxAbsError === null
    ? say(words.browserUnrun, { runtime })
    : say(words.browserOpens, { runtime, error: shortNumber(maxAbsError) });
}

export function Verdict({ exported, name }: { readonly exported: Exported; readonly name: string }) {
  const say = useText();
  const { saved, verified, downloaded } = exported;
  const { after, loads, maxAbsError, browser } = verified;
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
      {browser !== null && <Line good={browser.loads}>{browserSaid(browser, say)}</Line>}
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
