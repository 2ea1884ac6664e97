/** Owns the window: a sandboxed page that stays on our scheme, and gets its port to the host each time it has loaded. */
import type { BrowserWindow, BrowserWindowConstructorOptions, MessageChannelMain, MessagePortMain } from 'electron';
import type { Service } from '#shared/contract/server.ts';
import { serveWire } from '#shared/contract/server.ts';
import { portWire, type Wire } from '#shared/contract/wire.ts';
import { isOurs, startUrl } from './scheme.ts';

export const windowOptions = (preload: string): BrowserWindowConstructorOptions => ({
  width: 1600,
  height: 1000,
  minWidth: 1024,
  minHeight: 640,
  show: false,
  webPreferences: {
    preload,
    contextIsolation: true,
    sandbox: true,
    nodeIntegration: false,
    nodeIntegrationInWorker: false,
    nodeIntegrationInSubFrames: false,
    webviewTag: false,
    webSecurity: true,
    spellcheck: false,
  },
});

/** Electron's port in the main process as a wire. */
export function mainPortWire(port: MessagePortMain): Wire {
  return portWire({
    post: (data) => port.postMessage(data),
    listen: (message, close) => {
      port.on('message', (event) => message(event.data));
      port.on('close', close);
      port.start();
    },
    close: () => port.close(),
  });
}

/** Where a link leads that is not ours; only these are handed to the system's browser. */
const forBrowser = (url: string): boolean => url.startsWith('https://');

export interface WindowParts {
  readonly window: BrowserWindow;
  readonly service: Service;
  newChannel(): Pick<MessageChannelMain, 'port1' | 'port2'>;
  openExternal(url: string): void;
}

/** Sets the window's rules, serves its page and loads it. */
export async function runWindow({ window, service, newChannel, openExternal }: WindowParts): Promise<void> {
  const page = window.webContents;
  page.setWindowOpenHandler(({ url }) => {
    if (forBrowser(url)) openExternal(url);
    return { action: 'deny' };
  });
  page.on('will-navigate', (event) => {
    if (!isOurs(event.url)) event.preventDefault();
  });
  page.on('will-attach-webview', (event) => event.preventDefault());
  let wire: Wire | undefined;
  page.on('did-finish-load', () => {
    // The port goes to our own page alone: a foreign page in the frame would get nothing.
    if (!isOurs(page.mainFrame.url)) return;
    wire?.close();
    const { port1, port2 } = newChannel();
    wire = mainPortWire(port1);
    serveWire(wire, service);
    page.mainFrame.postMessage('bantam-port', null, [port2]);
  });
  window.once('ready-to-show', () => window.show());
  await window.loadURL(startUrl);
}
