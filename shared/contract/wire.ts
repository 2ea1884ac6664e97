/** Owns Wire, the thin thing between screen and host: frames in order, both ways, until it closes. */

/** What a WebSocket, a MessagePort, a worker or a pair in memory must offer. Frames arrive in order, whole, or not at all. */
export interface Wire {
  send(frame: Uint8Array): void;
  /** One listener; frames that came before it was set are kept for it. */
  onFrame(listener: (frame: Uint8Array) => void): void;
  /** Called once, whichever side closed. */
  onClose(listener: () => void): void;
  close(): void;
}

/** Keeps frames until somebody listens; closing is told once, also to who asks late. */
export function inbox(): {
  readonly onFrame: Wire['onFrame'];
  readonly onClose: Wire['onClose'];
  deliver(frame: Uint8Array): void;
  closed(): void;
} {
  let listener: ((frame: Uint8Array) => void) | undefined;
  let gone = false;
  const waiting: Uint8Array[] = [];
  const closers: (() => void)[] = [];
  return {
    onFrame: (next) => {
      listener = next;
      for (const frame of waiting.splice(0)) next(frame);
    },
    onClose: (closer) => {
      if (gone) closer();
      else closers.push(closer);
    },
    deliver: (frame) => {
      if (gone) return;
      if (listener === undefined) waiting.push(frame);
      else listener(frame);
    },
    closed: () => {
      if (gone) return;
      gone = true;
      for (const closer of closers) closer();
    },
  };
}

/** Two wires joined in memory: what one sends the other gets, in a later microtask. */
export function memoryPair(): readonly [Wire, Wire] {
  const left = inbox();
  const right = inbox();
  const end = (own: typeof left, other: typeof left): Wire => {
    let open = true;
    own.onClose(() => {
      open = false;
    });
    return {
      send: (frame) => {
        const copy = frame.slice();
        if (open) queueMicrotask(() => other.deliver(copy));
      },
      onFrame: own.onFrame,
      onClose: own.onClose,
      close: () => {
        own.closed();
        queueMicrotask(() => other.closed());
      },
    };
  };
  return [end(left, right), end(right, left)];
}

/** The part of a WebSocket that both the browser's and the package ws have. */
export interface SocketLike {
  binaryType: string;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(): void;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
  addEventListener(type: 'close' | 'error', listener: () => void): void;
}

const asFrame = (data: unknown): Uint8Array | undefined =>
  data instanceof Uint8Array ? data : data instanceof ArrayBuffer ? new Uint8Array(data) : undefined;

/** A wire over an open WebSocket. Text messages are no frames: they close it. */
export function socketWire(socket: SocketLike): Wire {
  const box = inbox();
  socket.binaryType = 'arraybuffer';
  socket.addEventListener('message', (event) => {
    const frame = asFrame(event.data);
    if (frame === undefined) socket.close();
    else box.deliver(frame);
  });
  socket.addEventListener('close', box.closed);
  socket.addEventListener('error', box.closed);
  return {
    send: (frame) => socket.send(frame as Uint8Array<ArrayBuffer>),
    onFrame: box.onFrame,
    onClose: box.onClose,
    close: () => {
      socket.close();
      box.closed();
    },
  };
}

/** The part of a MessagePort that the page's and Electron's main process's both come down to. */
export interface PortLike {
  post(data: Uint8Array): void;
  listen(message: (data: unknown) => void, close: () => void): void;
  close(): void;
}

/** A wire over a message port. */
export function portWire(port: PortLike): Wire {
  const box = inbox();
  port.listen(
    (data) => {
      const frame = asFrame(data);
      if (frame !== undefined) box.deliver(frame);
    },
    () => box.closed(),
  );
  return {
    send: (frame) => port.post(frame),
    onFrame: box.onFrame,
    onClose: box.onClose,
    close: () => {
      port.close();
      box.closed();
    },
  };
}
