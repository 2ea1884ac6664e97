/** Owns the registry of the zoo: every network that can be built. */
import { Fault } from '../base/fault.ts';
import { text } from '../base/text.ts';
import type { Model } from '../ir/model.ts';
import { type BuildOptions, buildNet, type ZooEntry } from './declare.ts';
import { alexnetVggEntries } from './nets/alexnet-vgg.ts';
import { densenetEntries } from './nets/densenet.ts';
import { digitEntries } from './nets/digits.ts';
import { inceptionEntries } from './nets/inception.ts';
import { lenetEntries } from './nets/lenet.ts';
import { mobilenetEntries } from './nets/mobilenet.ts';
import { resnetEntries } from './nets/resnet.ts';
import { shufflenetEntries } from './nets/shufflenet.ts';
import { squeezenetEntries } from './nets/squeezenet.ts';

export const zoo: readonly ZooEntry[] = [
  ...lenetEntries,
  ...digitEntries,
  ...alexnetVggEntries,
  ...resnetEntries,
  ...densenetEntries,
  ...inceptionEntries,
  ...squeezenetEntries,
  ...mobilenetEntries,
  ...shufflenetEntries,
];

/** Faults: `not-found`, naming those that look alike. */
export function zooEntry(id: string): ZooEntry {
  const found = zoo.find((e) => e.id === id);
  if (found === undefined) {
    const plain = (s: string): string => s.toLowerCase().replace(/[^a-z0-9]/g, '');
    const near = zoo.filter((e) => plain(e.id).startsWith(plain(id)) || plain(id).startsWith(plain(e.id)));
    throw new Fault(
      'not-found',
      text(`there is no network "${id}" in the zoo`, `모델 저장소에 네트워크 "${id}"이(가) 없습니다`),
      {
        hint:
          near.length > 0 ? `Did you mean ${near.map((e) => e.id).join(', ')}?` : 'See them with "bantam zoo list".',
      },
    );
  }
  return found;
}

/** A network of the zoo with seeded random weights. Faults: `not-found`, `bad-input`. */
export const buildFromZoo = (id: string, options: Partial<BuildOptions> = {}): Model => buildNet(zooEntry(id), options);
