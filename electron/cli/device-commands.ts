/** Owns the commands about devices and their options: `bantam device ...` and `bantam estimate`. */
import type { Command } from 'commander';
import type { ImportOptions, KitOptions, RunKitOptions } from './device-kit.ts';
import type { EstimateOptions } from './estimate.ts';
import { integer, shape } from './options.ts';
import type { OutputOptions } from './output.ts';
import type { CalibrateOptions } from './this-machine.ts';

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
  device
    .command('kit')
    .description('the small models and the list of runs that calibrate a device with any ONNX Runtime build')
    .requiredOption('-o, --output <folder>', 'the folder to write')
    .option('--json', 'print one JSON object')
    .action(async (options: KitOptions) => (await import('./device-kit.ts')).deviceKit(options));
  device
    .command('run')
    .description('measure the kit on this machine, for a board that runs Node.js')
    .requiredOption('-o, --output <file>', 'the results to write (JSON)')
    .option('--name <name>', 'what the device is called')
    .option('--threads <n>', 'threads of the runtime', integer('--threads', 1, 1024))
    .option('--json', 'print one JSON object')
    .action(async (options: RunKitOptions) => (await import('./device-kit.ts')).deviceRun(options));
  device
    .command('import <results>')
    .description('fit a profile to the measured times of a kit (JSON or CSV)')
    .requiredOption('-o, --output <file>', 'the profile to write (JSON)')
    .option('--name <name>', 'what the device is called, where the results are CSV')
    .option('--software <text>', 'the runtime that was measured, where the results are CSV')
    .option('--json', 'print one JSON object')
    .action(async (results: string, options: ImportOptions) =>
      (await import('./device-kit.ts')).deviceImport(results, options),
    );
  device
    .command('calibrate')
    .description('time kernels of every kind on this computer, once, for estimates of it (about 60 s)')
    .option('--seconds <n>', 'seconds to time for', integer('--seconds', 1, 60))
    .option('--json', 'print one JSON object')
    .action(async (options: CalibrateOptions) => (await import('./this-machine.ts')).calibrate(options));
  bantam
    .command('estimate <model>')
    .description('time of a model on this computer, or its time, memory and energy on another device')
    .option('--device <id>', 'a device of "bantam device list", or a profile file; without it this computer')
    .option('--table <file>', 'a table of measured layers instead (CSV: layer shape, ms)')
    .option('--unit <id>', 'a compute unit of the device other than its first')
    .option('--shape <name=1,3,224,224>', "set an input's dimensions (repeatable)", shape)
    .option('--json', 'print one JSON object')
    .action(async (model: string, options: EstimateOptions) =>
      (await import('./estimate.ts')).estimate(model, options),
    );
}
