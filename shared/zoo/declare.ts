/** Owns what an entry of the zoo is: one declared network, its defaults and how it is built. */
import type { Text } from '../base/text.ts';
import type { Model } from '../ir/model.ts';
import { NetWriter, type Tap } from './write-net.ts';

export interface BuildOptions {
  /** Width multiplier over every stage's channels (Howard et al. 2017); 1 is the published net. */
  readonly width: number;
  readonly input: readonly [channels: number, height: number, width: number];
  readonly classes: number;
  readonly seed: number;
}

export interface ZooEntry {
  readonly id: string;
  readonly title: Text;
  readonly summary: Text;
  /** Who published it. */
  readonly source: string;
  readonly input: BuildOptions['input'];
  readonly classes: number;
  /** False where the published net knows no multiplier and its shape leaves no room for one. */
  readonly scales: boolean;
  /** Writes the layers from the input to the scores. `w` scales and rounds channels; at width 1 it changes nothing. */
  readonly write: (net: NetWriter, x: Tap, o: BuildOptions, w: (channels: number, multiple?: number) => number) => Tap;
}

/** Channels times the multiplier, to the nearest multiple, never below it. */
export const scaled = (channels: number, width: number, multiple = 1): number =>
  width === 1 ? channels : Math.max(multiple, Math.round((channels * width) / multiple) * multiple);

/** To the nearest multiple of 8, but never more than 10 % below what was asked (TF-slim's rule for MobileNet v2 and MnasNet). */
export function scaledBy8(channels: number, width: number): number {
  const wanted = channels * width;
  const near = Math.max(8, Math.floor((wanted + 4) / 8) * 8);
  return near < 0.9 * wanted ? near + 8 : near;
}

/** The model of an entry. Faults: `bad-input` where the picture is too small for its windows. */
export function buildNet(entry: ZooEntry, options: Partial<BuildOptions> = {}): Model {
  const o: BuildOptions = {
    width: options.width ?? 1,
    input: options.input ?? entry.input,
    classes: options.classes ?? entry.classes,
    seed: options.seed ?? 1,
  };
  const net = new NetWriter(o.seed);
  const x = net.input(...o.input);
  const name = o.width === 1 ? entry.id : `${entry.id} x ${o.width}`;
  return net.model(
    name,
    x,
    entry.write(net, x, o, (c, multiple) => scaled(c, o.width, multiple)),
  );
}
