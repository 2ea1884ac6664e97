/** Owns the commands about devices and their options: `bantam device ...` and `bantam estimate`. */
import type { Command } from 'commander';
import type { EstimateOptions } from './estimate.ts';
import { shape } from './options.ts';
import type { OutputOptions } from './output.ts';

export function deviceCommands(bantam: Command): void {
  const device = bantam
    .command('device')
    .description('devices that models run on: list them, show one, check estimates');
  device
    .command('list')
    .description('every device that Bantam has a profile of')
    .option('--json', 'print one JSON object')
    .action(async (options: OutputOptions) => (await import('./device.ts')).deviceList(options));
  device
    .command('show <device>')
    .description('a profile, every number with where it comes from; an id or a profile file')
    .option('--json', 'print one JSON object')
    .action(async (id: string, options: OutputOptions) => (await import('./device.ts')).deviceShow(id, options));
  device
    .command('check')
    .description('estimates against published latencies, with their errors')
    .option('--json', 'print one JSON object')
    .action(async (options: OutputOptions) => (await import('./device.ts')).deviceCheck(options));
  bantam
    .command('estimate <model>')
    .description('time, memory and energy of a model on a device that is not here')
    .requiredOption('--device <id>', 'a device of "bantam device list", or a profile file')
    .option('--unit <id>', 'a compute unit of the device other than its first')
    .option('--shape <name=1,3,224,224>', "set an input's dimensions (repeatable)", shape)
    .option('--json', 'print one JSON object')
    .action(async (model: string, options: EstimateOptions) =>
      (await import('./estimate.ts')).estimate(model, options),
    );
}
