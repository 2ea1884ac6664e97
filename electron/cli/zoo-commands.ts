/** Owns the commands of `bantam zoo` and their options. */
import { type Command, InvalidArgumentError } from 'commander';
import type { FetchCommandOptions } from './catalogue.ts';
import { integer } from './options.ts';
import type { OutputOptions } from './output.ts';
import type { ZooBuildOptions } from './zoo.ts';

/** A width multiplier. */
function width(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0.01 && value <= 16)) throw new InvalidArgumentError('--width takes 0.01 to 16');
  return value;
}

/** "3,224,224" as channels, height, width. */
function pictureSize(text: string): readonly [number, number, number] {
  const [channels = 0, height = 0, across = 0, ...more] = text
    .split(',')
    .map((d) => (/^[1-9]\d{0,4}$/.test(d) ? Number(d) : 0));
  if (more.length > 0 || channels * height * across === 0)
    throw new InvalidArgumentError('expected channels,height,width such as 3,224,224');
  return [channels, height, across];
}

export function zooCommands(bantam: Command): void {
  const zoo = bantam.command('zoo').description('the standard networks: list them, build one, fetch a trained one');
  zoo
    .command('list')
    .description('every network with its parameters and multiply-accumulates')
    .option('--json', 'print one JSON object')
    .action(async (options: OutputOptions) => (await import('./zoo.ts')).zooList(options));
  zoo
    .command('catalogue')
    .description('trained models that can be fetched, with their licence and preprocessing')
    .option('--json', 'print one JSON object')
    .action(async (options: OutputOptions) => (await import('./catalogue.ts')).zooCatalogue(options));
  zoo
    .command('fetch <name>')
    .description('fetch a trained model of the catalogue; a broken transfer goes on where it stopped')
    .option('-o, --output <file>', 'the ONNX file to write (<name>.onnx)')
    .option('--json', 'print one JSON object')
    .action(async (name: string, options: FetchCommandOptions) =>
      (await import('./catalogue.ts')).zooFetch(name, options),
    );
  zoo
    .command('build <name>')
    .description('write a network with seeded random weights')
    .requiredOption('-o, --output <file>', 'the ONNX file to write')
    .option('--width <x>', 'width multiplier of its channels', width)
    .option('--input <c,h,w>', 'channels, height and width of its input', pictureSize)
    .option('--classes <n>', 'classes it tells apart', integer('--classes', 1, 1_000_000))
    .option('--seed <n>', 'seed of the weights', integer('--seed', 0, 2 ** 31 - 1))
    .option('--json', 'print one JSON object')
    .action(async (name: string, options: ZooBuildOptions) => (await import('./zoo.ts')).zooBuild(name, options));
}
