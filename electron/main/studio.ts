/** Owns the desktop studio as a whole: one instance, one host, one window. Electron's API is handed in. */
import type * as Electron from 'electron';
import { faultLine, toFault } from '#shared/base/fault.ts';
import type { Dialogs, RunningHost } from '../host/host.ts';
import type { Spawn } from '../jobs/protocol.ts';
import { closeGuard } from './close-guard.ts';
import { menuTemplate } from './menu.ts';
import { privileges, scheme, serveScheme } from './scheme.ts';
import { runWindow, windowOptions } from './studio-window.ts';
import { utilitySpawner } from './utility-spawner.ts';
import { languageOf, words } from './words.ts';

/** The part of Electron that the studio uses. */
export type ElectronApi = Pick<
  typeof Electron,
  | 'app'
  | 'BrowserWindow'
  | 'dialog'
  | 'Menu'
  | 'MessageChannelMain'
  | 'protocol'
  | 'session'
  | 'shell'
  | 'utilityProcess'
>;

export interface StudioParts {
  /** The built page. */
  readonly page: string;
  readonly preload: string;
  readonly worker: string;
  openHost(spawn: Spawn, dialogs: Dialogs): Promise<RunningHost>;
}

/** The system's open and save dialogs, over the window. */
function dialogsOf(electron: ElectronApi, window: () => Electron.BrowserWindow | undefined): Dialogs {
  const filters = (): Electron.FileFilter[] => [
    { name: words.models[languageOf(electron.app.getLocale())], extensions: ['onnx'] },
  ];
  const ask = async (options: Electron.OpenDialogOptions): Promise<string | null> => {
    const over = window();
    const asked = await (over === undefined
      ? electron.dialog.showOpenDialog(options)
      : electron.dialog.showOpenDialog(over, options));
    return asked.canceled ? null : (asked.filePaths[0] ?? null);
  };
  return {
    open: () => ask({ properties: ['openFile'], filters: filters() }),
    data: (kind) => ask({ properties: [kind === 'folder' ? 'openDirectory' : 'openFile'] }),
    save: async (name) => {
      const over = window();
      const options: Electron.SaveDialogOptions = { defaultPath: name, filters: filters() };
      const asked = await (over === undefined
        ? electron.dialog.showSaveDialog(options)
        : electron.dialog.showSaveDialog(over, options));
      return asked.canceled || asked.filePath === '' ? null : asked.filePath;
    },
  };
}

/** Starts it. Resolves when the window's page has loaded, or at once where another instance runs already. */
export async function startStudio(electron: ElectronApi, parts: StudioParts): Promise<void> {
  const { app } = electron;
  if (!app.requestSingleInstanceLock()) {
    app.quit();
    return;
  }
  let window: Electron.BrowserWindow | undefined;
  app.on('second-instance', () => {
    if (window?.isMinimized()) window.restore();
    window?.focus();
  });
  app.on('window-all-closed', () => app.quit());
  app.enableSandbox();
  electron.protocol.registerSchemesAsPrivileged(privileges);
  await app.whenReady();
  const language = languageOf(app.getLocale());
  try {
    const host = await parts.openHost(
      utilitySpawner(electron.utilityProcess, parts.worker),
      dialogsOf(electron, () => window),
    );
    app.on('will-quit', () => host.close());
    electron.protocol.handle(scheme, serveScheme(parts.page));
    // The page needs no permission of the system's: camera, notifications and the rest are refused.
    electron.session.defaultSession.setPermissionRequestHandler((_page, _permission, decide) => decide(false));
    const menu = menuTemplate(language, process.platform === 'darwin', !app.isPackaged);
    electron.Menu.setApplicationMenu(electron.Menu.buildFromTemplate(menu));
    const opened = new electron.BrowserWindow(windowOptions(parts.preload));
    window = opened;
    const guard = closeGuard({
      jobs: () => host.queue.all(),
      language,
      ask: async (question) => (await electron.dialog.showMessageBox(opened, question)).response,
      closeNow: () => opened.close(),
    });
    opened.on('close', guard);
    opened.on('closed', () => {
      window = undefined;
    });
    await runWindow({
      window: opened,
      service: host.service,
      newChannel: () => new electron.MessageChannelMain(),
      openExternal: (url) => void electron.shell.openExternal(url),
    });
  } catch (thrown) {
    electron.dialog.showErrorBox(words.cannotStart[language], faultLine(toFault(thrown)));
    app.exit(1);
  }
}
