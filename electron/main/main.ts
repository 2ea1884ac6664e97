/** Owns the entry of Electron's main process: where things stand, and off. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import * as electron from 'electron';
import { dataFolder } from '../host/data-folder.ts';
import { startHost } from '../host/host.ts';
import { runtimeName } from '../host/runtime-name.ts';
import { startStudio } from './studio.ts';

/** The project folder, or the unpacked application: dist/electron/main.cjs stands two folders down. */
const root = join(import.meta.dirname, '../..');

void startStudio(electron, {
  page: join(root, 'dist/renderer'),
  preload: join(root, 'dist/electron/preload.cjs'),
  worker: join(root, 'dist/node/worker.mjs'),
  openHost: (spawn, dialogs) =>
    startHost({
      kind: 'electron',
      version: electron.app.getVersion(),
      runtime: runtimeName(root),
      threads: availableParallelism(),
      folder: dataFolder(),
      samples: join(root, 'assets/models'),
      spawn,
      dialogs,
    }),
});
