/** Owns `npm run bantam -- ...`: builds what the command needs and hands over to it. */
import { pathToFileURL } from 'node:url';
import { buildNode, buildPage, root } from './build.mjs';

const command = process.argv[2];
await buildNode();
if (command === 'serve' && !process.argv.includes('--help')) {
  process.stderr.write('Preparing the page (only after a change) ...\n');
  await buildPage();
}
await import(pathToFileURL(`${root}/dist/node/cli.mjs`).href);
