/** Owns the spawner of the server and the command line: a job process by child_process.fork. */
import { fork } from 'node:child_process';
import type { FromWorker, Spawn } from './protocol.ts';

/** Forks `entry` for each task. Its output goes nowhere; the tail of its error stream explains a crash. */
export function forkSpawner(entry: string, execArgv: readonly string[] = []): Spawn {
  return () => {
    const child = fork(entry, [], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: [...execArgv],
    });
    let words = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(-2000);
    });
    return {
      send: (message) => {
        if (child.connected) child.send(message, () => {});
      },
      onMessage: (listener) => child.on('message', (message) => listener(message as FromWorker)),
      onExit: (listener) => {
        let told = false;
        const tell = (code: number | null, signal: string | null): void => {
          if (told) return;
          told = true;
          listener({ code, signal, words });
        };
        child.on('close', tell);
        child.on('error', () => tell(null, null));
      },
      kill: () => child.kill('SIGKILL'),
    };
  };
}
