/** Owns the check of where a result shall go, before anything is computed: an hour of training must not end at a bad path. */
import { accessSync, constants, existsSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { Fault } from '#shared/base/fault.ts';

/** The nearest folder above that is there: the missing ones below it are made when the file is written. */
function standing(folder: string): string {
  let at = folder;
  while (!existsSync(at) && dirname(at) !== at) at = dirname(at);
  return at;
}

/** Links and, where the file system says so, case resolved; the path itself where nothing stands there yet. */
const real = (path: string): string => {
  if (existsSync(path)) return realpathSync.native(path);
  const folder = dirname(resolve(path));
  return existsSync(folder) ? join(realpathSync.native(folder), basename(path)) : resolve(path);
};

/**
 * Faults: `bad-path` for a name that is empty or an option, a folder or device, the original itself (also through a link), or a
 * place that cannot be written. `option`: the one that names the file.
 */
export function checkOutput(output: string, original?: string, option = '-o'): void {
  const wrong = (message: string, hint = `Give another file with ${option}.`): Fault =>
    new Fault('bad-path', message, { where: output, hint });
  if (output.trim() === '' || output.startsWith('-')) throw wrong(`${option} needs the name of a file`);
  if (/[\\/]$/.test(output) || (existsSync(output) && statSync(output).isDirectory()))
    throw wrong('the result cannot be written: this is a folder', 'Give a file in it, such as light.onnx.');
  if (existsSync(output) && !statSync(output).isFile()) throw wrong('the result cannot be written: this is no file');
  if (original !== undefined && real(output) === real(original)) throw wrong('the result would overwrite the original');
  const folder = standing(dirname(resolve(output)));
  if (!statSync(folder).isDirectory()) throw wrong(`the result cannot be written: ${basename(folder)} is no folder`);
  try {
    accessSync(folder, constants.W_OK);
  } catch {
    throw wrong('the result cannot be written: its folder is read-only');
  }
}
