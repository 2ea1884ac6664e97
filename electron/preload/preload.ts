/** Owns the one thing the page gets from Electron: a message port to the host. No API, no Node, no ipc reaches the page. */
import { ipcRenderer } from 'electron';

/** The page's window, as far as this file needs it: the rest of the DOM is unknown on this side. */
declare const window: {
  readonly location: { readonly origin: string };
  postMessage(message: string, target: string, transfer: readonly object[]): void;
};

ipcRenderer.on('bantam-port', (event) => {
  // Only to ourselves: the origin of app://bantam.
  window.postMessage('bantam-port', window.location.origin, event.ports);
});
