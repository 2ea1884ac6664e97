/** Owns a run stage by stage: plain bytes beside entropy-coded bytes, each against the original file. */
import type { Job } from '#shared/contract/calls.ts';
import { techniques } from '#shared/techniques/index.ts';
import { fullCount, ratio, shortBytes } from '../../ui/format.ts';
import { useText } from '../../ui/language.ts';
import { words } from './words.ts';

export function Stages({ job }: { readonly job: Job }) {
  const say = useText();
  const { result } = job;
  const start = result?.before?.fileBytes;
  if (result?.steps === undefined || start === undefined || result.packedBefore === undefined) return null;
  const rows = [
    { key: 'start', title: say(words.original), plain: start, packed: result.packedBefore },
    ...result.steps.map((s, i) => ({
      key: `${i}`,
      title: `${i + 1}. ${say(techniques.find((t) => t.id === s.technique)?.title ?? { en: s.technique, ko: s.technique })}`,
      plain: s.after.fileBytes,
      packed: s.packedBytes ?? null,
    })),
  ];
  return (
    <table className="result-table stages">
      <caption className="muted small">{say(words.stagesCaption)}</caption>
      <thead>
        <tr>
          <th scope="col" className="first">
            {say(words.stage)}
          </th>
          <th scope="col">{say(words.plainBytes)}</th>
          <td />
          <th scope="col">{say(words.codedBytes)}</th>
          <td />
        </tr>
      </thead>
      <tbody>
        {rows.map((r) => (
          <tr key={r.key}>
            <th scope="row">{r.title}</th>
            <td title={fullCount(r.plain)}>{shortBytes(r.plain)}</td>
            <td className="muted">{ratio(start, r.plain)}</td>
            <td title={fullCount(r.packed)}>
              <strong>{shortBytes(r.packed)}</strong>
            </td>
            <td className="gain-ratio">{r.packed === null ? '' : ratio(start, r.packed)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
