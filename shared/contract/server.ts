/** Owns the host's end of a wire: reads calls, validates both ways, answers with results or faults as data. */
import type { z } from 'zod';
import { Fault, toFault } from '../base/fault.ts';
import { parseWith } from '../base/schema.ts';
import { type CallName, type CallOutput, type Calls, calls, type Job } from './calls.ts';
import { decodeFrame, encodeFrame } from './codec.ts';
import { type Reply, requestSchema } from './messages.ts';
import type { Wire } from './wire.ts';

/** One handler for every call, typed by the contract. Input arrives validated, defaults filled in. */
export type Handlers = {
  readonly [K in CallName]: (input: z.output<Calls[K]['input']>) => Promise<CallOutput<K>>;
};

/** What the host offers to any number of wires. */
export interface Service {
  readonly handlers: Handlers;
  /** Subscribes to job documents; returns the unsubscriber. */
  onJob(listener: (job: Job) => void): () => void;
}

async function answer(handlers: Handlers, name: CallName, input: unknown): Promise<unknown> {
  const call = calls[name];
  const parsed = parseWith(call.input as z.ZodType<unknown>, input, name);
  const handler = handlers[name] as (i: unknown) => Promise<unknown>;
  const output = await handler(parsed);
  const checked = (call.output as z.ZodType<unknown>).safeParse(output);
  if (checked.success) return checked.data;
  const issue = checked.error.issues[0];
  throw new Fault('internal', `the answer of ${name} does not fit: ${issue?.path.join('.')} ${issue?.message}`);
}

/**
 * Serves one wire until it closes. A frame that is no call is answered with a fault and the wire stays open; calls run
 * at once and answer in any order. Stack traces stay on this side (`report`).
 */
export function serveWire(wire: Wire, service: Service, report: (fault: Fault) => void = () => {}): void {
  let open = true;
  const send = (reply: Reply): void => {
    if (open) wire.send(encodeFrame(reply));
  };
  const refuse = (id: number | null, thrown: unknown): void => {
    const fault = toFault(thrown);
    if (fault.code === 'internal') report(fault);
    send({ kind: 'fault', id, fault: fault.toData() });
  };
  const unsubscribe = service.onJob((job) => send({ kind: 'job', job }));
  wire.onClose(() => {
    open = false;
    unsubscribe();
  });
  wire.onFrame((frame) => {
    let id: number | null = null;
    try {
      const message = decodeFrame(frame);
      const raw = (message as { id?: unknown } | null)?.id;
      if (typeof raw === 'number') id = raw;
      const request = parseWith(requestSchema, message, 'call');
      answer(service.handlers, request.name, request.input).then(
        (output) => send({ kind: 'result', id: request.id, output }),
        (thrown) => refuse(request.id, thrown),
      );
    } catch (thrown) {
      refuse(id, thrown);
    }
  });
}
