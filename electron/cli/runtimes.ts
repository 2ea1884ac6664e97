/** Owns `bantam runtimes`: which execution providers of the runtime work on this machine, and why others do not. */

import { runtimeName } from '../host/runtime-name.ts';
import { runToEnd } from '../jobs/run-process.ts';
import { forkSpawner } from '../jobs/spawn.ts';
import { type OutputOptions, print } from './output.ts';
import { root, worker } from './places.ts';
import { table } from './table.ts';

/** Each is tried in a process of its own: a broken driver may end it. Faults: `crashed` where one did. */
export async function runtimes(options: OutputOptions): Promise<void> {
  const { entry, execArgv } = worker();
  const { providers } = await runToEnd(forkSpawner(entry, execArgv), { kind: 'runtimes', threads: 1 });
  const runtime = runtimeName(root);
  print(options, { runtime, providers }, () =>
    [
      runtime,
      '',
      table(
        ['provider', 'name', 'works', 'why not'],
        providers.map((p) => [p.id, p.title, p.works ? 'yes' : 'no', p.reason ?? '']),
      ),
    ].join('\n'),
  );
}
