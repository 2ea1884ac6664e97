/** Owns the small forms of the zoo's networks, on which CI holds the law: width 0.25, the least pictures that the layers take. */
import type { Model } from '../ir/model.ts';
import type { ZooEntry } from '../zoo/declare.ts';
import { buildFromZoo } from '../zoo/index.ts';

/** The least width and height that the layers take: most go down by 32, some heads want more. */
const least: Readonly<Record<string, number>> = { alexnet: 64, googlenet: 48, 'inception-v3': 96 };

export function smallFromZoo(entry: ZooEntry): Model {
  const [channels, height, width] = entry.input;
  const side = least[entry.id] ?? 32;
  const input = [channels, Math.min(side, height), Math.min(side, width)] as const;
  return buildFromZoo(entry.id, { width: entry.scales ? 0.25 : 1, input, classes: Math.min(10, entry.classes) });
}
