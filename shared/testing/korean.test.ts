/** Holds that whatever reaches the screen is said in both languages: faults, where they are thrown, by their source text. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
/** The command line speaks English alone; tests and the bugs of ours (`internal`) are for no visitor. */
const silent = /\.test\.tsx?$|\/testing\/|^electron\/cli\//;

const sources = ['shared', 'electron', 'renderer'].flatMap((side) =>
  readdirSync(join(root, side), { recursive: true, encoding: 'utf8' })
    .map((f) => `${side}/${f.split(sep).join('/')}`)
    .filter((f) => /\.tsx?$/.test(f) && !silent.test(f)),
);

/** Faults of a source whose message or hint is a bare string: said in English alone. */
function englishAlone(source: string): readonly string[] {
  const messages = [...source.matchAll(/new Fault\(\s*'(?!internal)[\w-]+',\s*(['"`][^\n]*)/g)];
  const hints = [...source.matchAll(/new Fault\([^;]*?\bhint: (['"`][^\n]*)/g)].filter(
    (m) => !m[0].startsWith("new Fault('internal'"),
  );
  return [...messages, ...hints].map((m) => m[1] ?? '');
}

describe('both languages', () => {
  it('finds a fault that is said in English alone', () => {
    expect(englishAlone("throw new Fault('bad-file', 'no file', { where });")).toEqual(["'no file', { where });"]);
    expect(englishAlone("new Fault(\n 'x',\n text('a', 'b'), { hint: `Take y.` });")).toEqual(['`Take y.` });']);
    expect(englishAlone("new Fault('x', text('a', 'b'), { hint: text('c', 'd') });")).toEqual([]);
    expect(englishAlone("new Fault('internal', 'a bug', { where });")).toEqual([]);
  });

  it('is how every fault outside the command line is thrown', () => {
    expect(sources.length).toBeGreaterThan(400);
    const found = sources.flatMap((f) =>
      englishAlone(readFileSync(join(root, f), 'utf8')).map((words) => `${f}: ${words}`),
    );
    expect(found).toEqual([]);
  });
});
