/** Owns what keeps the local server to its own page: headers, token, and whose requests it takes. */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

export const newToken = (): string => randomBytes(24).toString('base64url');

/** The page may load only itself; WebAssembly and workers are what onnxruntime-web needs. */
export const contentSecurityPolicy = (connect: string): string =>
  [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    `connect-src 'self'${connect === '' ? '' : ` ${connect}`}`,
    "worker-src 'self' blob:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

/** Headers of every answer; the first two make the page cross-origin isolated (WebAssembly threads). */
export const securityHeaders = (connect: string): Readonly<Record<string, string>> => ({
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Content-Security-Policy': contentSecurityPolicy(connect),
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
});

/** The names under which the page may reach us: no other, so that a foreign name that resolves to 127.0.0.1 gets nothing. */
const ownHosts = (port: number): readonly string[] => [`127.0.0.1:${port}`, `localhost:${port}`];

export const hostAllowed = (request: IncomingMessage, port: number): boolean =>
  ownHosts(port).includes(request.headers.host ?? '');

/** The Origin that a page of ours sends with its WebSocket must be the very host it asks. */
export const originAllowed = (request: IncomingMessage, port: number): boolean =>
  hostAllowed(request, port) && request.headers.origin === `http://${request.headers.host}`;

/** Compares in constant time. */
export function tokenMatches(given: string | null, token: string): boolean {
  const a = Buffer.from(given ?? '');
  const b = Buffer.from(token);
  return a.length === b.length && timingSafeEqual(a, b);
}
