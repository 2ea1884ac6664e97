/** Owns the layer tab: what stands in the file about the selected node, and what was inferred and counted. */
import type { ReactNode } from 'react';
import { channelGroups } from '#shared/analysis/channel-groups.ts';
import { inferFacts } from '#shared/analysis/infer-facts.ts';
import type { Node } from '#shared/ir/model.ts';
import { reasonText } from '#shared/techniques/reason-words.ts';
import type { OpenModel } from '../../state/document.ts';
import { timesOf, useLayerMeasures } from '../../state/measured.ts';
import { layersById, usePreview } from '../../state/preview.ts';
import { useDocument } from '../../state/store.ts';
import { weightInput } from '../../state/weight-input.ts';
import { fullCount, layerTime, percent, shapeText } from '../../ui/format.ts';
import { useText } from '../../ui/language.ts';
import { attributeText } from './attribute-text.ts';
import { WeightFacts } from './WeightFacts.tsx';
import { words } from './words.ts';

const Fact = ({ name, children }: { readonly name: string; readonly children: ReactNode }) => (
  <div>
    <dt className="muted">{name}</dt>
    <dd>{children}</dd>
  </div>
);

export function LayerFacts({ open, node }: { readonly open: OpenModel; readonly node: Node }) {
  const say = useText();
  const before = usePreview((p) => p.preview?.before);
  const shapes = useDocument((d) => d.edit.shapes);
  const facts = inferFacts(open.model, { inputs: shapes });
  const layer = before === undefined ? undefined : layersById(before).get(node.id);
  const profile = useLayerMeasures((m) => m.profile);
  const time = profile === null ? undefined : timesOf(profile).get(node.id);
  const weight = weightInput(node, facts);
  const made = channelGroups(open.model, facts).madeBy.get(node.id) ?? [];
  const share = (part: number | null, all: number | null): string =>
    part === null || all === null || all === 0 ? '' : ` · ${say(words.share, { share: percent(part / all) })}`;
  return (
    <>
      <header>
        <h2>{node.op}</h2>
        <p className="muted mono small node-name">{node.name || node.id}</p>
        {layer !== undefined && !layer.counted && <p className="badge warn">{say(words.notCounted)}</p>}
      </header>
      <dl className="facts">
        <Fact name={say(words.output)}>{shapeText(facts.get(node.outputs[0] ?? '')?.shape ?? null)}</Fact>
        {node.inputs.map((name, i) =>
          name === '' ? null : (
            // biome-ignore lint/suspicious/noArrayIndexKey: an input is its place
            <Fact key={`${name} ${i}`} name={i === 0 ? say(words.inputs) : ''}>
              <span className="mono small">{name}</span> {shapeText(facts.get(name)?.shape ?? null)}
            </Fact>
          ),
        )}
        {layer !== undefined && layer.parameters > 0 && (
          <Fact name={say(words.parameters)}>
            {fullCount(layer.parameters)}
            <span className="muted">{share(layer.parameters, before?.parameters ?? null)}</span>
          </Fact>
        )}
        {layer !== undefined && layer.macs !== 0 && (
          <Fact name={say(words.macs)}>
            {layer.macs === null ? say(words.unknown) : fullCount(layer.macs)}
            <span className="muted">{share(layer.macs, before?.macs ?? null)}</span>
          </Fact>
        )}
        {time !== undefined && profile !== null && (
          <Fact name={say(words.time)}>
            {layerTime(time.ms, time.tiny)}
            <span className="muted">{share(time.ms, profile.latencyMs.median)}</span>
          </Fact>
        )}
        {made.map((g) => (
          <Fact key={g.id} name={say(words.channels)}>
            {g.units * g.channelsPerUnit}
            {g.frozen !== undefined && <span className="muted"> · {say(reasonText(g.frozen.reason))}</span>}
          </Fact>
        ))}
      </dl>
      {weight !== undefined && <WeightFacts node={node} input={weight} />}
      <section>
        <h3 className="section-title">{say(words.attributes)}</h3>
        {node.attributes.length === 0 && <p className="muted small">{say(words.noAttributes)}</p>}
        <dl className="facts">
          {node.attributes.map((a) => (
            <Fact key={a.name} name={a.name}>
              <span className="mono small">{attributeText(a)}</span>
            </Fact>
          ))}
        </dl>
      </section>
    </>
  );
}
