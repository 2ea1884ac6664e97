/** Owns the inspector: facts of the selected layer. */
import { text } from '#shared/base/text.ts';
import { graphIndex } from '#shared/ir/graph-index.ts';
import { useDocument } from '../../state/store.ts';
import { useText } from '../../ui/language.ts';
import { attributeText } from './attribute-text.ts';

const words = {
  empty: text('Select a layer to see it.', '레이어를 선택하면 내용이 보입니다.'),
  attributes: text('Attributes', '속성'),
} as const;

export function Inspector() {
  const say = useText();
  const open = useDocument((d) => d.open);
  const id = useDocument((d) => d.selection.at(-1));
  const node = open === null || id === undefined ? undefined : graphIndex(open.model.graph).nodeById.get(id);
  if (node === undefined) return <div className="panel-body muted">{say(words.empty)}</div>;
  return (
    <div className="panel-body">
      <h2>{node.op}</h2>
      <p className="muted mono">{node.name}</p>
      <h3 className="section-title">{say(words.attributes)}</h3>
      <dl className="facts">
        {node.attributes.map((a) => (
          <div key={a.name}>
            <dt className="muted">{a.name}</dt>
            <dd className="mono">{attributeText(a)}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
