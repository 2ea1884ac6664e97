/** Owns the studio in a browser: a local http server with the built page and the WebSocket to the host. */
import { createReadStream } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { Fault } from '#shared/base/fault.ts';
import { text } from '#shared/base/text.ts';
import { type Service, serveWire } from '#shared/contract/server.ts';
import { type SocketLike, socketWire } from '#shared/contract/wire.ts';
import { hostAllowed, newToken, originAllowed, securityHeaders, tokenMatches } from './security.ts';
import { staticFile } from './static-files.ts';

export interface ServerOptions {
  readonly service: Service;
  /** The built page. */
  readonly root: string;
  /** 0: any free one. */
  readonly port?: number;
  /** Largest frame a page may send (a dropped model with its data), in bytes. */
  readonly maxUpload?: number;
  readonly report?: (fault: Fault) => void;
}

export interface StudioServer {
  /** With the token: the address to open. Without it the page loads but the host answers nobody. */
  readonly url: string;
  readonly port: number;
  readonly token: string;
  close(): Promise<void>;
}

/** What a WebSocket may bring at most unless said otherwise: the largest Node buffer that travels well. */
const defaultMaxUpload = 2 ** 30;

function refuse(response: ServerResponse, status: number, words: string) {
  response.writeHead(status, { ...securityHeaders(''), 'Content-Type': 'text/plain; charset=utf-8' });
  response.end(`${words}\n`);
}

function serveStatic(root: string, port: number, request: IncomingMessage, response: ServerResponse) {
  if (!hostAllowed(request, port)) return refuse(response, 403, 'wrong host');
  if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(response, 405, 'only GET');
  // The raw path: new URL() would resolve ".." before we could refuse it.
  const pathname = (request.url ?? '/').split(/[?#]/, 1)[0] ?? '/';
  const file = staticFile(root, pathname);
  if (file === undefined) return refuse(response, 404, 'not found');
  response.writeHead(200, {
    ...securityHeaders(`ws://${request.headers.host}`),
    'Content-Type': file.type,
    'Content-Length': file.bytes,
    // Names of built assets carry their hash; the page itself is asked for anew.
    'Cache-Control': pathname.startsWith('/assets/') ? 'private, max-age=31536000, immutable' : 'no-cache',
  });
  if (request.method === 'HEAD') response.end();
  else
    createReadStream(file.path)
      .on('error', () => response.destroy())
      .pipe(response);
}

function refuseUpgrade(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

/** Starts on 127.0.0.1. Faults: `denied` where the port is taken or forbidden. */
export async function startServer(options: ServerOptions): Promise<StudioServer> {
  const token = newToken();
  let port = options.port ?? 0;
  const server = createServer((request, response) => serveStatic(options.root, port, request, response));
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: options.maxUpload ?? defaultMaxUpload,
    perMessageDeflate: false,
  });
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    const url = new URL(request.url ?? '/', 'http://local');
    if (url.pathname !== '/wire') return refuseUpgrade(socket, '404 Not Found');
    if (!originAllowed(request, port) || !tokenMatches(url.searchParams.get('token'), token))
      return refuseUpgrade(socket, '403 Forbidden');
    sockets.handleUpgrade(request, socket, head, (ws) => {
      ws.on('error', () => ws.terminate());
      serveWire(socketWire(ws as unknown as SocketLike), options.service, options.report);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new Fault(
          'denied',
          text(
            `port ${port} cannot be used: ${error.code ?? error.message}`,
            `포트 ${port}을(를) 쓸 수 없습니다: ${error.code ?? error.message}`,
          ),
          {
            hint: text('Choose another with --port.', '--port로 다른 포트를 고르세요.'),
          },
        ),
      );
    });
    server.listen(port, '127.0.0.1', resolve);
  });
  port = (server.address() as AddressInfo).port;
  return {
    url: `http://127.0.0.1:${port}/?token=${token}`,
    port,
    token,
    close: () =>
      new Promise((resolve) => {
        for (const ws of sockets.clients) ws.terminate();
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
