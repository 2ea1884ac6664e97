/** Holds the layers of the architecture as a table, and checks every import of every file against it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix, sep } from 'node:path';
import { describe, expect, it } from 'vitest';

/** shared/ in order: a layer imports only itself and what stands before it. */
const sharedOrder = [
  'base',
  'xnor',
  'ir',
  'ports',
  'onnx',
  'archive',
  'ops',
  'devices',
  'analysis',
  'transforms',
  'autodiff',
  'training',
  'zoo',
  'techniques',
  'search',
  'recipes',
  'contract',
  'testing',
];

/** Layer -> the layers of its own side that it may import beside itself. All of shared/ but testing/ is open to both sides. */
const electronTable: Readonly<Record<string, readonly string[]>> = {
  runtime: [],
  // The job process reads models and data; the host starts job processes.
  jobs: ['runtime', 'host'],
  host: ['jobs'],
  server: ['host', 'jobs'],
  cli: ['runtime', 'host', 'jobs', 'server'],
  preload: [],
  main: ['host', 'jobs', 'server'],
};
const rendererTable: Readonly<Record<string, readonly string[]>> = {
  ui: [],
  host: ['ui'],
  runtime: [],
  state: ['host', 'runtime', 'ui'],
  canvas: ['ui', 'state', 'host', 'runtime'],
  features: ['ui', 'state', 'host', 'runtime', 'canvas'],
  app: ['ui', 'state', 'host', 'runtime', 'canvas', 'features'],
};

/** Packages with a boundary of their own: who may import them. What is not named here is free outside shared/. */
const packageOwners: Readonly<Record<string, (file: string) => boolean>> = {
  electron: (f) => /^electron\/(main|preload)\//.test(f),
  'onnxruntime-node': (f) => f.startsWith('electron/runtime/'),
  'onnxruntime-web': (f) => f.startsWith('renderer/runtime/') || f.startsWith('electron/runtime/'),
  react: (f) => f.startsWith('renderer/'),
  'react-dom': (f) => f.startsWith('renderer/'),
  'onnx-buf': (f) => f.startsWith('shared/onnx/'),
  '@bufbuild/protobuf': (f) => f.startsWith('shared/onnx/'),
};
/** What the pure side may use. */
const sharedPackages = new Set(['zod', 'onnx-buf', '@bufbuild/protobuf', 'simple-statistics', 'ml-matrix']);

const root = join(import.meta.dirname, '../..');
const isTest = (file: string): boolean => /\.test\.tsx?$/.test(file) || /\/testing\//.test(file);

/** Module specifiers of a source text: static, side-effect, re-export and dynamic. */
function specifiers(text: string): readonly string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '');
  // Declarations start a line; what stands between the keyword and the specifier has no quote.
  const found = code.matchAll(
    /^[ \t]*(?:import|export)\s+(?:type\s+)?(?:[\w*{][^'"`;=()]*?\sfrom\s*)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm,
  );
  return [...found].map((m) => m[1] ?? m[2] ?? '');
}

/** The repository path that a specifier means, or undefined for a package. */
function target(file: string, specifier: string): string | undefined {
  if (specifier.startsWith('#shared/')) return `shared/${specifier.slice('#shared/'.length)}`;
  if (specifier.startsWith('.')) return posix.normalize(posix.join(posix.dirname(file), specifier));
  return undefined;
}
const packageName = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

const [sideAt, layerAt, partAt] = [0, 1, 2];
const at = (path: string, index: number): string => path.split('/')[index] ?? '';

/** What is wrong with a file's import of `specifier`, or undefined. */
function complaint(file: string, specifier: string): string | undefined {
  const path = target(file, specifier);
  if (path === undefined) {
    const name = packageName(specifier);
    const owner = packageOwners[name];
    if (owner !== undefined && !owner(file) && !isTest(file)) return `${name} belongs elsewhere`;
    if (at(file, sideAt) === 'shared' && !isTest(file) && !sharedPackages.has(name))
      return `shared/ is pure: ${specifier}`;
    return undefined;
  }
  // Documents that the project ships are data, open to all.
  if (path.startsWith('assets/') && path.endsWith('.json')) return undefined;
  if (isTest(file)) return at(path, sideAt) === 'renderer' && at(file, sideAt) !== 'renderer' ? 'renderer' : undefined;
  const [from, to] = [at(file, sideAt), at(path, sideAt)];
  const [layer, other] = [at(file, layerAt), at(path, layerAt)];
  if (path.includes('.test.') || path.startsWith('shared/testing/')) return 'tests are no library';
  if (to === 'shared' && from !== 'shared') return undefined;
  if (from !== to) return `${from}/ may not import ${to}/`;
  if (from === 'shared') {
    const [mine, theirs] = [sharedOrder.indexOf(layer), sharedOrder.indexOf(other)];
    if (mine < 0 || theirs < 0) return `shared/${mine < 0 ? layer : other} is no layer of the table`;
    return theirs <= mine ? undefined : `${layer}/ stands before ${other}/`;
  }
  const table = from === 'electron' ? electronTable : rendererTable;
  const allowed = table[layer];
  if (layer === other) {
    const strangers = layer === 'features' && at(file, partAt) !== at(path, partAt);
    return strangers ? 'features meet in state/, not in each other' : undefined;
  }
  // A file at the top of a side (main.tsx) composes; it may import its own side freely.
  if (allowed === undefined) return layer.includes('.') ? undefined : `${from}/${layer} is no layer of the table`;
  return allowed.includes(other) ? undefined : `${from}/${layer} may not import ${from}/${other}`;
}

const files = ['shared', 'electron', 'renderer']
  .flatMap((side) => readdirSync(join(root, side), { recursive: true, encoding: 'utf8' }).map((f) => join(side, f)))
  .filter((f) => /\.tsx?$/.test(f) && !f.endsWith('.d.ts'))
  .map((f) => f.split(sep).join('/'))
  .sort();

describe('layers', () => {
  it('hold for every import of every file', () => {
    expect(files.length).toBeGreaterThan(20);
    const wrong = files.flatMap((file) =>
      specifiers(readFileSync(join(root, file), 'utf8')).flatMap((s) => {
        const words = complaint(file, s);
        return words === undefined ? [] : [`${file} -> ${s}: ${words}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  it('are told apart by the checker itself', () => {
    expect(complaint('shared/ir/a.ts', '../base/b.ts')).toBeUndefined();
    expect(complaint('shared/base/a.ts', '../ir/b.ts')).toContain('stands before');
    expect(complaint('shared/ir/a.ts', 'node:fs')).toContain('pure');
    expect(complaint('shared/ir/a.test.ts', 'node:fs')).toBeUndefined();
    expect(complaint('shared/onnx/a.ts', 'onnx-buf')).toBeUndefined();
    expect(complaint('shared/ops/a.ts', 'onnx-buf')).toContain('belongs elsewhere');
    expect(complaint('electron/host/a.ts', 'electron')).toContain('belongs elsewhere');
    expect(complaint('electron/main/a.ts', 'electron')).toBeUndefined();
    expect(complaint('electron/host/a.ts', '../runtime/node-runtime.ts')).toContain('may not');
    expect(complaint('electron/host/a.ts', '#shared/ir/model.ts')).toBeUndefined();
    expect(complaint('electron/host/a.ts', '#shared/testing/build.ts')).toContain('no library');
    expect(complaint('electron/host/a.ts', '../../renderer/app/x.ts')).toContain('may not');
    expect(complaint('renderer/features/a/x.ts', '../b/y.ts')).toContain('features meet');
    expect(complaint('renderer/ui/x.ts', '../state/y.ts')).toContain('may not');
    expect(
      specifiers(
        "import type { A } from './a.ts';\nexport * from './b.ts';\nawait import('./c.ts');\nimport './d.css';",
      ),
    ).toEqual(['./a.ts', './b.ts', './c.ts', './d.css']);
  });

  it('stand in the folder README in their order', () => {
    const listed = readFileSync(join(root, 'shared/README.md'), 'utf8').match(/^`base`.*$/m)?.[0] ?? '';
    expect([...listed.matchAll(/`(\w+)`/g)].map((m) => m[1])).toEqual(
      sharedOrder.filter((l) => l !== 'testing' && files.some((f) => f.startsWith(`shared/${l}/`))),
    );
  });

  it('each have a place in the table', () => {
    const layers = new Set(files.map((f) => `${at(f, sideAt)}/${at(f, layerAt)}`).filter((l) => !l.includes('.')));
    const known = new Set([
      ...sharedOrder.map((l) => `shared/${l}`),
      ...Object.keys(electronTable).map((l) => `electron/${l}`),
      ...Object.keys(rendererTable).map((l) => `renderer/${l}`),
    ]);
    expect([...layers].filter((l) => !known.has(l))).toEqual([]);
  });
});
