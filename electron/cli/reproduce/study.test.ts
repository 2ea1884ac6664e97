/** What every reproduction begins with: where its page goes, and trainings that several kinds share. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { lenet300 } from '#shared/zoo/lenet.ts';
import { keepModels } from './kept-models.ts';
import { withStudy } from './study.ts';

it('refuses a page that cannot be written before anything is opened', async () => {
  const work = vi.fn(async () => 0);
  const refused = expect.objectContaining({ code: 'bad-path', hint: expect.not.stringContaining('-o') });
  await expect(withStudy({ markdown: tmpdir() }, work)).rejects.toThrow(refused);
  await expect(withStudy({ markdown: '' }, work)).rejects.toThrow('--markdown');
  await expect(withStudy({ markdown: join(import.meta.filename, 'page.md') }, work)).rejects.toThrow(refused);
  expect(work).not.toHaveBeenCalled();
});

it('makes a model of one name and settings once, without a folder too', async () => {
  const keep = keepModels(undefined, 'runtime');
  const make = vi.fn(async () => ({ model: lenet300(1), seconds: make.mock.calls.length }));
  const first = await keep('dense', { seed: 1 }, make);
  expect(await keep('dense', { seed: 1 }, make)).toBe(first);
  expect(make).toHaveBeenCalledTimes(1);
  expect((await keep('dense', { seed: 2 }, make)).key).not.toBe(first.key);
  await keep('control', { seed: 1 }, make);
  expect(make).toHaveBeenCalledTimes(3);
  await keepModels(undefined, 'runtime')('dense', { seed: 1 }, make);
  expect(make).toHaveBeenCalledTimes(4);
});
