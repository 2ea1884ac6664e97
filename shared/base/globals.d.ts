/**
 * Owns the few globals that every platform of ours has (Node, pages, workers) and that the language's own library does not
 * declare. Nothing else of DOM or Node is known in this folder's program.
 */
declare class TextEncoder {
  encode(text?: string): Uint8Array<ArrayBuffer>;
}
declare class TextDecoder {
  constructor(label?: string, options?: { readonly fatal?: boolean; readonly ignoreBOM?: boolean });
  decode(bytes?: Uint8Array): string;
}
declare function queueMicrotask(callback: () => void): void;
