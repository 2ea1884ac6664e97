/** Owns app://bantam, from which the window's page comes: the built page with the same headers as the local server gives. */
import { readFile } from 'node:fs/promises';
import { securityHeaders } from '../server/security.ts';
import { staticFile } from '../server/static-files.ts';

export const scheme = 'app';
export const origin = 'app://bantam';
export const startUrl = `${origin}/index.html`;

/** Standard and secure: has an origin, may use fetch, workers and cross-origin isolation. */
export const privileges = [
  {
    scheme,
    privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true, stream: true },
  },
];

export const isOurs = (url: string): boolean => url === origin || url.startsWith(`${origin}/`);

/** Answers requests of our scheme from the folder `root`; what is not there, and any other host, is 404. */
export function serveScheme(root: string): (request: Request) => Promise<Response> {
  const headers = securityHeaders('');
  return async (request) => {
    const file = isOurs(request.url) ? staticFile(root, new URL(request.url).pathname) : undefined;
    if (file === undefined) return new Response('not found', { status: 404, headers });
    const body = new Uint8Array(await readFile(file.path));
    return new Response(body, { headers: { ...headers, 'Content-Type': file.type } });
  };
}
