/** Owns the commands and their options, as `bantam --help` lists them. Each command's work is loaded when it is called. */
import { Command } from 'commander';
import type { ShapeOption } from './inspect.ts';
import { integer, shape } from './options.ts';
import type { OutputOptions } from './output.ts';
import { version } from './places.ts';

/** The program; parsing it runs a command. Errors of usage exit with code 1 and one line. */
export function program(): Command {
  const bantam = new Command('bantam')
    .description('Makes ONNX neural networks light.')
    .version(version())
    .showSuggestionAfterError(false);

  bantam
    .command('inspect <model>')
    .description('what a file holds and costs: layers, parameters, MACs, memory')
    .option('--json', 'print one JSON object')
    .option('--shape <name=1,3,224,224>', "set an input's dimensions (repeatable)", shape)
    .action(async (model: string, options: OutputOptions & ShapeOption) => {
      const { inspect } = await import('./inspect.ts');
      inspect(model, options);
    });

  bantam
    .command('serve')
    .description('open the studio in a browser, from a server on this machine only')
    .option('--port <n>', 'port to listen on', integer('--port', 0, 65535))
    .option('--threads <n>', 'threads of the runtime', integer('--threads', 1, 1024))
    .option('--open', 'open the default browser')
    .action(async (options: { port?: number; threads?: number; open?: boolean }) => {
      const { serve } = await import('./serve.ts');
      await serve(options);
    });
  return bantam;
}
