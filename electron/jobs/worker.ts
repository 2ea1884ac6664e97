/** Owns the job process: takes one task from the host, does it, says how it ended, and ends. */
import { writeFileSync } from 'node:fs';
import { Cancelled, cancelSource } from '#shared/base/cancel.ts';
import { toFault } from '#shared/base/fault.ts';
import { nodeRuntime } from '../runtime/node-runtime.ts';
import { listProviders } from '../runtime/providers.ts';
import { answer } from './answer.ts';
import { KeptOnCancel, KeptOnFault } from './apply-recipe.ts';
import { lookAtData } from './look-at-data.ts';
import { packFile } from './pack-file.ts';
import type { FromWorker, Outcome, Task, ToWorker } from './protocol.ts';
import { reporter } from './report.ts';
import { runJob } from './run-job.ts';
import { someSamples } from './some-samples.ts';
import { verifyFile } from './verify.ts';

/** Electron's utility process has this port where a forked Node process has process.send. */
interface ParentPort {
  postMessage(message: FromWorker): void;
  on(type: 'message', listener: (event: { data: ToWorker }) => void): void;
}
const parentPort = (process as { parentPort?: ParentPort }).parentPort;

/** Sends and resolves when it is out, so that exiting loses nothing. */
const send = (message: FromWorker): Promise<void> =>
  new Promise((resolve) => {
    if (parentPort === undefined) process.send?.(message, undefined, {}, () => resolve());
    else {
      parentPort.postMessage(message);
      setTimeout(resolve, 20);
    }
  });

const { token, cancel } = cancelSource();

async function perform(task: Task): Promise<Outcome> {
  const runtime = nodeRuntime(task.threads);
  if (task.kind === 'verify') return { kind: 'verify', verified: await verifyFile(runtime, task.held, task.written) };
  if (task.kind === 'answer') return { kind: 'answer', answer: await answer(runtime, task) };
  if (task.kind === 'runtimes') return { kind: 'runtimes', providers: await listProviders(runtime) };
  if (task.kind === 'samples') return { kind: 'samples', samples: await someSamples(task) };
  if (task.kind === 'pack') {
    const { bytes, ...more } = packFile(task.model);
    if (task.out !== undefined) writeFileSync(task.out, bytes);
    return { kind: 'pack', packed: { archiveBytes: bytes.length, ...more, parts: [...more.parts] } };
  }
  if (task.kind === 'look') return { kind: 'look', look: await lookAtData(runtime, task.model, task.data, token) };
  return runJob(task, { runtime, cancel: token, report: reporter((m) => void send(m)) });
}

async function run(task: Task): Promise<void> {
  try {
    await send({ kind: 'done', outcome: await perform(task) });
  } catch (thrown) {
    if (thrown instanceof KeptOnCancel) await send({ kind: 'cancelled', kept: thrown.result });
    else if (thrown instanceof Cancelled) await send({ kind: 'cancelled' });
    else {
      const fault = toFault(thrown).toData();
      await send({ kind: 'failed', fault, ...(thrown instanceof KeptOnFault ? { kept: thrown.result } : {}) });
    }
  }
  process.exit(0);
}

function take(message: ToWorker): void {
  if (message.kind === 'cancel') cancel();
  else void run(message.task);
}

if (parentPort === undefined) {
  process.on('message', (message) => take(message as ToWorker));
  // Without a host nobody reads the result.
  process.on('disconnect', () => process.exit(0));
} else parentPort.on('message', (event) => take(event.data));
