/** Owns the spawner of the desktop studio: a job process is an Electron utility process. */
import type { UtilityProcess } from 'electron';
import type { FromWorker, Spawn } from '../jobs/protocol.ts';

/** The part of Electron's utilityProcess that is used. */
export interface Forker {
  fork(entry: string, args: string[], options: { serviceName: string; stdio: 'pipe' }): UtilityProcess;
}

/** Electron tells no signal: a native crash comes as an exit code, a kill of ours is known to the caller. */
export function utilitySpawner(utilityProcess: Forker, entry: string): Spawn {
  return () => {
    const child = utilityProcess.fork(entry, [], { serviceName: 'Bantam job', stdio: 'pipe' });
    let words = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      words = (words + chunk.toString('utf8')).slice(-2000);
    });
    child.stdout?.on('data', () => {});
    return {
      send: (message) => child.postMessage(message),
      onMessage: (listener) => child.on('message', (message: unknown) => listener(message as FromWorker)),
      onExit: (listener) => child.once('exit', (code) => listener({ code, signal: null, words })),
      kill: () => child.kill(),
    };
  };
}
