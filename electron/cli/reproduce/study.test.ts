/** What every reproduction begins with: where its page goes, and trainings that several kinds share. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { withStudy } from './study.ts';

it('refuses a page that cannot be written before anything is opened', async () => {
  const work = vi.fn(async () => 0);
  const refused = expect.objectContaining({ code: 'bad-path', hint: expect.not.stringContaining('-o') });
  await expect(withStudy({ markdown: tmpdir() }, work)).rejects.toThrow(refused);
  await expect(withStudy({ markdown: '' }, work)).rejects.toThrow('--markdown');
  await expect(withStudy({ markdown: join(import.meta.filename, 'page.md') }, work)).rejects.toThrow(refused);
  expect(work).not.toHaveBeenCalled();
});
