/** Owns the commands and their options, as `bantam --help` lists them. Each command's work is loaded when it is called. */
import { Command, Option } from 'commander';
import { targetRuntimes } from '#shared/techniques/storage-target.ts';
import type { ApplyOptions } from './apply.ts';
import type { AssetsOptions } from './assets.ts';
import { deviceCommands } from './device-commands.ts';
import type { DataOptions, EvaluateCommand } from './evaluate.ts';
import type { ShapeOption } from './inspect.ts';
import { integer, preprocess, shape } from './options.ts';
import type { OutputOptions } from './output.ts';
import { samples, version } from './places.ts';
import type { RecipeOptions } from './preview.ts';
import type { ProfileOptions } from './profile.ts';
import { reproduceCommands } from './reproduce-commands.ts';
import type { ServeOptions } from './serve.ts';
import { trainCommand } from './train-command.ts';
import { zooCommands } from './zoo-commands.ts';

const threads = integer('--threads', 1, 1024);
const seed = integer('--seed', 0, 2 ** 31 - 1);

const json = (c: Command): Command => c.option('--json', 'print one JSON object');
const shaped = (c: Command): Command =>
  c.option('--shape <name=1,3,224,224>', "set an input's dimensions (repeatable)", shape);
const seeded = (c: Command): Command => c.option('--seed <n>', 'seed of everything random', seed);
const threaded = (c: Command): Command => c.option('--threads <n>', 'threads of the runtime', threads);
const withRecipe = (c: Command): Command =>
  c
    .requiredOption('--recipe <file>', 'the recipe (JSON)')
    .addOption(new Option('--target <runtime>', 'what the file is written for').choices([...targetRuntimes]));
const preprocessed = (c: Command): Command =>
  c.option(
    '--preprocess <name or JSON>',
    'how samples become the input: a preset, JSON, or auto (tried on training samples); by default what the card NAME.json beside the model says, else auto',
    preprocess,
  );
const dataText = 'digits, or a path: IDX(.gz), CIFAR binary, NPY, NPZ, CSV, or a folder of pictures by class';

/** The program; parsing it runs a command. Errors of usage exit with code 1 and one line. */
export function program(): Command {
  const bantam = new Command('bantam')
    .description('Makes ONNX neural networks light.')
    .version(version())
    .showSuggestionAfterError(false);
  const command = (usage: string, text: string, ...options: readonly ((c: Command) => Command)[]): Command =>
    options.reduce((c, add) => add(c), bantam.command(usage).description(text));

  command('inspect <model>', 'what a file holds and costs: layers, parameters, MACs, memory', json, shaped).action(
    async (model: string, options: OutputOptions & ShapeOption) =>
      (await import('./inspect.ts')).inspect(model, options),
  );
  command('preview <model>', 'what a recipe would give', withRecipe, json, shaped, seeded).action(
    async (model: string, options: OutputOptions & RecipeOptions) =>
      (await import('./preview.ts')).preview(model, options),
  );
  command(
    'apply <model>',
    'run a recipe and write the result',
    withRecipe,
    json,
    shaped,
    seeded,
    threaded,
    preprocessed,
  )
    .requiredOption('-o, --output <file>', 'the ONNX file to write')
    .option('--data <id>', dataText)
    .action(async (model: string, options: ApplyOptions) => (await import('./apply.ts')).apply(model, options));
  trainCommand(
    command('train <model>', 'train a model, or teach it by others', json, threaded, preprocessed, seeded)
      .requiredOption('-o, --output <file>', 'the ONNX file to write')
      .requiredOption('--data <id>', dataText),
  );
  command('evaluate <model>', 'accuracy and latency on the test split', json, shaped, threaded, preprocessed, seeded)
    .requiredOption('--data <id>', dataText)
    .option('--reference <model>', 'a model to agree with; all that can be said where the data has no labels')
    .action(async (model: string, options: EvaluateCommand) =>
      (await import('./evaluate.ts')).evaluate(model, options),
    );
  command('compare <a> <b>', 'how far one model is from another', json, shaped, threaded, preprocessed, seeded)
    .option('--data <id>', `${dataText}; without it seeded random input`)
    .action(async (a: string, b: string, options: DataOptions & { data?: string }) =>
      (await import('./evaluate.ts')).compare(a, b, options),
    );
  command('profile <model>', 'time on this machine, whole and layer by layer', json, shaped, threaded)
    .option('--vs <model>', 'a second model, measured in turn with the first')
    .option(
      '--provider <id>',
      'an execution provider of "bantam runtimes"; one that fails falls back to cpu, and says why',
    )
    .option('--seconds <n>', 'time to measure a model for', integer('--seconds', 1, 60))
    .action(async (model: string, options: ProfileOptions) => (await import('./profile.ts')).profile(model, options));
  command('runtimes', "the runtime's execution providers, each tried on this machine", json).action(
    async (options: OutputOptions) => (await import('./runtimes.ts')).runtimes(options),
  );
  command('pack <model>', 'an archive of the file, entropy-coded; unpack restores it bit for bit', json)
    .requiredOption('-o, --output <file>', 'the archive to write')
    .action(async (model: string, options: OutputOptions & { output: string }) =>
      (await import('./pack.ts')).packModel(model, options),
    );
  command('unpack <archive>', 'the ONNX file that an archive holds', json)
    .requiredOption('-o, --output <file>', 'the ONNX file to write')
    .action(async (archive: string, options: OutputOptions & { output: string }) =>
      (await import('./pack.ts')).unpackModel(archive, options),
    );
  command('serve', 'open the studio in a browser, from a server on this machine only', threaded)
    .option('--port <n>', 'port to listen on', integer('--port', 0, 65535))
    .option('--open', 'open the default browser')
    .action(async (options: ServeOptions) => (await import('./serve.ts')).serve(options));
  command('demo', 'LeNet-5 pruned, fine-tuned, quantized, evaluated, written and opened again', json, threaded)
    .option('-o, --output <file>', 'where the light model is written', 'lenet-5-light.onnx')
    .action(async (options: OutputOptions & { threads?: number; output: string }) =>
      (await import('./demo.ts')).demo(options),
    );
  command('assets [only...]', 'train the sample models anew, all or those named', threaded)
    .option('--seeds <n>', 'trainings a model, to show the spread; the first is kept', integer('--seeds', 1, 100))
    .action(async (only: string[], options: AssetsOptions) =>
      (await import('./assets.ts')).runAssets(samples, only, options),
    );
  zooCommands(bantam);
  deviceCommands(bantam);
  reproduceCommands(bantam);
  return bantam;
}
