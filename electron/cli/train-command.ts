/** Owns the options of `bantam train`, as its help lists them. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { integer } from './options.ts';
import type { TrainOptions } from './train.ts';

/** A parser of numbers in a range. */
const number =
  (name: string, min: number, max: number) =>
  (text: string): number => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (!(value >= min && value <= max)) throw new InvalidArgumentError(`${name} takes ${min} to ${max}`);
    return value;
  };
const gather = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

const choice = (flags: string, about: string, from: readonly string[]): Option =>
  new Option(flags, about).choices([...from]);

/** Adds options and action. Left out, a number is that of the technique. */
export function trainCommand(command: Command): Command {
  return command
    .option('--epochs <n>', 'times through the training samples', integer('--epochs', 1, 1000))
    .option('--batch <n>', 'samples a step', integer('--batch', 1, 4096))
    .addOption(choice('--optimizer <name>', 'how steps are taken', ['sgd', 'adam', 'adamw']))
    .addOption(new Option('--lr, --learning-rate <x>', 'learning rate').argParser(number('--lr', 0, 10)))
    .option('--momentum <x>', 'of sgd', number('--momentum', 0, 0.999))
    .option('--nesterov', 'momentum that looks ahead')
    .option('--weight-decay <x>', 'on weights alone', number('--weight-decay', 0, 1))
    .addOption(choice('--schedule <name>', 'how the rate falls', ['cosine', 'step', 'constant']))
    .option('--warm-up <share>', 'share over which the rate rises', number('--warm-up', 0, 0.5))
    .option('--clip-norm <x>', 'largest norm of all gradients', number('--clip-norm', 0, 100))
    .option('--patience <n>', 'epochs to wait for a better one', integer('--patience', 0, 1000))
    .addOption(
      choice('--loss <name>', 'what is made small', [
        'auto',
        'cross-entropy',
        'binary-cross-entropy',
        'mean-squared-error',
      ]),
    )
    .option('--label-smoothing <share>', 'of each label, spread over all classes', number('--label-smoothing', 0, 0.5))
    .option('--balance', 'rare classes count more')
    .option('--class-weights <list>', 'one factor a class: 1,1,2.5')
    .option('--train-output <name>', 'the output to train; the first by default')
    .option('--freeze <query>', 'layers that do not learn, as in a recipe')
    .option('--augment <list>', 'none, or shift=0.1,rotate=10,zoom=0.1,shear=0.1,flip,crop=4,erase=0.5')
    .option('--teacher <model>', 'a file, or "original" (repeatable)', gather)
    .option('--hint <pair>', '"teacher value > value", or one name (repeatable)', gather)
    .option('--hint-weight <x>', 'weight of hints', number('--hint-weight', 0, 100))
    .option('--temperature <t>', 'of the soft answers', number('--temperature', 0.5, 50))
    .option('--soft-share <share>', 'of the teachers; the labels have the rest', number('--soft-share', 0, 1))
    .action(async (model: string, options: TrainOptions) => (await import('./train.ts')).train(model, options));
}
