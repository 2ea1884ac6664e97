/**
 * Owns how the page finds its host: Electron hands over a MessagePort, the local server answers on a WebSocket with the
 * token that the page's address carries.
 */
import { Fault } from '#shared/base/fault.ts';
import { text } from '#shared/base/text.ts';
import { createHost, type HostClient } from '#shared/contract/client.ts';
import { portWire, socketWire, type Wire } from '#shared/contract/wire.ts';

/** Sent by the preload with one port in `event.ports`. */
const portMessage = 'bantam-port';

function electronWire(): Promise<Wire> {
  return new Promise((resolve) => {
    const take = (event: MessageEvent): void => {
      const port = event.ports[0];
      if (event.source !== window || event.data !== portMessage || port === undefined) return;
      removeEventListener('message', take);
      port.start();
      resolve(
        portWire({
          post: (data) => port.postMessage(data),
          listen: (message, close) => {
            port.addEventListener('message', (e) => message(e.data));
            port.addEventListener('close', close);
          },
          close: () => port.close(),
        }),
      );
    };
    addEventListener('message', take);
  });
}

/** The token of this start: kept for a reload, taken out of the address so that it is not shared by copying. */
function token(): string {
  const found =
    new URLSearchParams(location.search).get('token') ?? new URLSearchParams(location.hash.slice(1)).get('token');
  if (found !== null) {
    sessionStorage.setItem('bantam.token', found);
    const clean = new URL(location.href);
    clean.searchParams.delete('token');
    clean.hash = '';
    history.replaceState(null, '', clean);
  }
  return found ?? sessionStorage.getItem('bantam.token') ?? '';
}

function serverWire(secret: string): Promise<Wire> {
  return new Promise((resolve, reject) => {
    const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(`${scheme}//${location.host}/wire?token=${encodeURIComponent(secret)}`);
    socket.addEventListener('open', () => resolve(socketWire(socket)));
    socket.addEventListener('error', () =>
      reject(
        new Fault('unsupported', text('the studio cannot reach its host', '스튜디오가 호스트에 연결할 수 없습니다')),
      ),
    );
  });
}

/** The host of this page, connecting now and again whenever the wire breaks. */
export function connectHost(): HostClient {
  const later = (run: () => void, ms: number): void => void setTimeout(run, ms);
  if (location.protocol === 'app:') return createHost(electronWire, { later });
  const secret = token();
  return createHost(() => serverWire(secret), { later });
}
