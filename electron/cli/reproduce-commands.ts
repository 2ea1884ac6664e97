/** Owns the commands of `bantam reproduce`: published results run again, here, with their spread. */
import type { Command } from 'commander';
import { integer } from './options.ts';
import type { DistillationOptions } from './reproduce/distillation.ts';
import type { StudyOptions } from './reproduce/study.ts';

export function reproduceCommands(bantam: Command): void {
  const reproduce = bantam.command('reproduce').description('published results run again on the digits');
  const study = (name: string, text: string, seeds = 1): Command =>
    reproduce
      .command(name)
      .description(text)
      .option('--seeds <n>', `trainings of each kind (default ${seeds})`, integer('--seeds', 1, 100))
      .option('--state <folder>', 'keep what was trained there, and go on from it')
      .option('--markdown <file>', 'write the result there as a document too')
      .option('--threads <n>', 'threads of the runtime', integer('--threads', 1, 1024))
      .option('--json', 'print one JSON object');

  study(
    'deep-compression',
    'both LeNets pruned, retrained, shared, retrained and packed, stage by stage beside the paper',
  ).action(async (options: StudyOptions) =>
    (await import('./reproduce/deep-compression-report.ts')).reproduceDeepCompression(options),
  );
  study('pruning', 'LeNet-300-100 without 90 % of its weights, at once and gradually, beside a dense control').action(
    async (options: StudyOptions) => (await import('./reproduce/pruning.ts')).reproducePruning(options),
  );
  study('binarize', 'LeNet-5 with binary weights, and with binary weights and inputs, beside float').action(
    async (options: StudyOptions) => (await import('./reproduce/binarize.ts')).reproduceBinarize(options),
  );
  study('channel-pruning', 'channels of LeNet-5 by LASSO beside the L1 norm and chance at equal ratio').action(
    async (options: StudyOptions) => (await import('./reproduce/channel-pruning.ts')).reproduceChannelPruning(options),
  );
  study(
    'soft-weight-sharing',
    'LeNet-300-100 trained under a mixture of Gaussians, merged, assigned and packed, beside a dense control',
  ).action(async (options: StudyOptions) =>
    (await import('./reproduce/soft-weight-sharing.ts')).reproduceSoftWeightSharing(options),
  );
  study(
    'distillation',
    'students of 2 x 800, 2 x 100 and 2 x 30 units, alone and taught at several temperatures; one digit left out',
    2,
  )
    .option('--epochs <n>', 'epochs of each (default 12)', integer('--epochs', 1, 1000))
    .action(async (options: DistillationOptions) =>
      (await import('./reproduce/distillation.ts')).reproduceDistillation(options),
    );
}
