/**
 * Owns a stand-in of Electron's API: the parts that the studio uses, as plain event emitters that record what is asked of them.
 * It is not Electron: what it shows is that we call the API as declared, and what we do with its events.
 */
import { EventEmitter } from 'node:events';
import { MessageChannel, type MessagePort } from 'node:worker_threads';

/** Electron's main-process port over Node's: events carry `data`. */
class PortStandIn extends EventEmitter {
  readonly port: MessagePort;
  constructor(port: MessagePort) {
    super();
    this.port = port;
    port.on('message', (data: unknown) => this.emit('message', { data }));
    port.on('close', () => this.emit('close'));
  }
  postMessage(data: unknown): void {
    this.port.postMessage(data);
  }
  start(): void {
    this.port.start();
  }
  close(): void {
    this.port.close();
  }
}

class PageStandIn extends EventEmitter {
  readonly posted: { channel: string; port: PortStandIn }[] = [];
  readonly mainFrame = {
    url: '',
    postMessage: (channel: string, _message: unknown, ports: readonly PortStandIn[]): void => {
      const port = ports[0];
      if (port !== undefined) this.posted.push({ channel, port });
    },
  };
  openHandler: ((details: { url: string }) => { action: string }) | undefined;
  setWindowOpenHandler(handler: (details: { url: string }) => { action: string }): void {
    this.openHandler = handler;
  }
}

export class WindowStandIn extends EventEmitter {
  readonly webContents = new PageStandIn();
  readonly options: Readonly<Record<string, unknown>>;
  shown = false;
  closed = false;
  focused = 0;
  constructor(options: Readonly<Record<string, unknown>>) {
    super();
    this.options = options;
  }
  async loadURL(url: string): Promise<void> {
    this.webContents.mainFrame.url = url;
    this.emit('ready-to-show');
    this.webContents.emit('did-finish-load');
  }
  show(): void {
    this.shown = true;
  }
  isMinimized(): boolean {
    return false;
  }
  restore(): void {}
  focus(): void {
    this.focused++;
  }
  /** As a person's click on the cross: listeners may hold it. */
  close(): void {
    let held = false;
    this.emit('close', {
      preventDefault: () => {
        held = true;
      },
    });
    if (held) return;
    this.closed = true;
    this.emit('closed');
  }
}

export interface StandIn {
  /** To be handed to startStudio where Electron's API is wanted. */
  readonly electron: Record<string, unknown>;
  readonly app: EventEmitter;
  readonly windows: WindowStandIn[];
  readonly calls: string[];
  readonly handled: Map<string, (request: Request) => Promise<Response>>;
  readonly asked: unknown[];
  /** What dialogs answer. */
  answers: { box: number; open: string[]; save: string };
  permission: ((page: unknown, name: string, decide: (yes: boolean) => void) => void) | undefined;
}

export function electronStandIn(options: { readonly first?: boolean; readonly locale?: string } = {}): StandIn {
  const calls: string[] = [];
  const windows: WindowStandIn[] = [];
  const asked: unknown[] = [];
  const handled = new Map<string, (request: Request) => Promise<Response>>();
  const app = Object.assign(new EventEmitter(), {
    isPackaged: true,
    requestSingleInstanceLock: () => options.first ?? true,
    quit: () => calls.push('quit'),
    exit: (code: number) => calls.push(`exit ${code}`),
    enableSandbox: () => calls.push('sandbox'),
    whenReady: async () => calls.push('ready'),
    getLocale: () => options.locale ?? 'en-GB',
    getVersion: () => '1.2.3',
  });
  const standIn: StandIn = {
    app,
    windows,
    calls,
    handled,
    asked,
    answers: { box: 0, open: [], save: '' },
    permission: undefined,
    electron: {
      app,
      BrowserWindow: class extends WindowStandIn {
        constructor(o: Readonly<Record<string, unknown>>) {
          super(o);
          windows.push(this);
        }
      },
      dialog: {
        showMessageBox: async (_window: unknown, question: unknown) => {
          asked.push(question);
          return { response: standIn.answers.box };
        },
        showOpenDialog: async () => ({ canceled: standIn.answers.open.length === 0, filePaths: standIn.answers.open }),
        showSaveDialog: async () => ({ canceled: standIn.answers.save === '', filePath: standIn.answers.save }),
        showErrorBox: (title: string, text: string) => calls.push(`error ${title}: ${text}`),
      },
      Menu: { setApplicationMenu: () => calls.push('menu'), buildFromTemplate: (t: unknown) => t },
      MessageChannelMain: class {
        readonly port1: PortStandIn;
        readonly port2: PortStandIn;
        constructor() {
          const channel = new MessageChannel();
          this.port1 = new PortStandIn(channel.port1);
          this.port2 = new PortStandIn(channel.port2);
        }
      },
      protocol: {
        registerSchemesAsPrivileged: () => calls.push('privileged'),
        handle: (name: string, handler: (request: Request) => Promise<Response>) => handled.set(name, handler),
      },
      session: {
        defaultSession: {
          setPermissionRequestHandler: (h: NonNullable<StandIn['permission']>) => {
            standIn.permission = h;
          },
        },
      },
      shell: { openExternal: async (url: string) => calls.push(`browser ${url}`) },
      utilityProcess: { fork: () => new EventEmitter() },
    },
  };
  return standIn;
}
