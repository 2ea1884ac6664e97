/** Owns the commands of `bantam reproduce`: published results run again, here, with their spread. */
import type { Command } from 'commander';
import { integer } from './options.ts';
import type { DeepCompressionOptions } from './reproduce/deep-compression-report.ts';
import type { DistillationOptions } from './reproduce/distillation.ts';

export function reproduceCommands(bantam: Command): void {
  const reproduce = bantam.command('reproduce').description('published results run again on the digits');
  reproduce
    .command('deep-compression')
    .description('both LeNets pruned, retrained, shared, retrained and packed, stage by stage beside the paper')
    .option('--seeds <n>', 'trainings of each net (default 1)', integer('--seeds', 1, 100))
    .option('--threads <n>', 'threads of the runtime', integer('--threads', 1, 1024))
    .option('--json', 'print one JSON object')
    .action(async (options: DeepCompressionOptions) =>
      (await import('./reproduce/deep-compression-report.ts')).reproduceDeepCompression(options),
    );
  reproduce
    .command('distillation')
    .description('students of 2 x 800 and 2 x 30 units, alone and taught at several temperatures; one digit left out')
    .option('--seeds <n>', 'trainings of each kind (default 2)', integer('--seeds', 1, 100))
    .option('--epochs <n>', 'epochs of each (default 20)', integer('--epochs', 1, 1000))
    .option('--threads <n>', 'threads of the runtime', integer('--threads', 1, 1024))
    .option('--json', 'print one JSON object')
    .action(async (options: DistillationOptions) =>
      (await import('./reproduce/distillation.ts')).reproduceDistillation(options),
    );
}
