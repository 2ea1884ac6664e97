/** Owns `bantam serve`: the studio in a browser from a local server, until it is interrupted. */
import { availableParallelism } from 'node:os';
import { faultLine } from '#shared/base/fault.ts';
import { dataFolder } from '../host/data-folder.ts';
import { type RunningHost, startHost } from '../host/host.ts';
import { runtimeName } from '../host/runtime-name.ts';
import { forkSpawner } from '../jobs/spawn.ts';
import { type StudioServer, startServer } from '../server/server.ts';
import { page, root, samples, version, worker } from './places.ts';

export interface ServeOptions {
  readonly port?: number;
  readonly threads?: number;
  /** Opens the address in the default browser. */
  readonly open?: boolean;
}

/** Starts host and server; the caller closes both. */
export async function startServing(options: ServeOptions): Promise<{ host: RunningHost; server: StudioServer }> {
  const { entry, execArgv } = worker();
  const host = await startHost({
    kind: 'server',
    version: version(),
    runtime: runtimeName(root),
    threads: options.threads ?? availableParallelism(),
    folder: dataFolder(),
    samples,
    spawn: forkSpawner(entry, execArgv),
  });
  const server = await startServer({
    service: host.service,
    root: page,
    ...(options.port === undefined ? {} : { port: options.port }),
    report: (fault) =>
      process.stderr.write(`bug: ${faultLine(fault)}\n${fault.cause instanceof Error ? fault.cause.stack : ''}\n`),
  });
  return { host, server };
}

/** Runs until interrupted. */
export async function serve(options: ServeOptions): Promise<void> {
  // Listened for first: a signal that comes while we start ends us in order too.
  const interrupted = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  const { host, server } = await startServing(options);
  process.stdout.write(`Bantam is at ${server.url}\n`);
  if (options.open) {
    const { default: open } = await import('open');
    await open(server.url).catch(() =>
      process.stdout.write('No browser could be opened: open the address yourself.\n'),
    );
  }
  await interrupted;
  host.close();
  await server.close();
}
