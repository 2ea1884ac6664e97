/** Owns the commands and their options, as `bantam --help` lists them. Each command's work is loaded when it is called. */
import { Command } from 'commander';
import { integer } from './options.ts';
import { version } from './places.ts';

/** The program; parsing it runs a command. Errors of usage exit with code 1 and one line. */
export function program(): Command {
  const bantam = new Command('bantam')
    .description('Makes ONNX neural networks light.')
    .version(version())
    .showSuggestionAfterError(false);

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
