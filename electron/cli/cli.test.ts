/** The command line as a person runs it: the bundle in a process, its output and exit code. */
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attr } from '#shared/ir/attribute.ts';
import { writeModel } from '#shared/onnx/write.ts';
import { model, node, randomTensor, value } from '#shared/testing/build.ts';
import { buildNode, root } from '../../scripts/build.mjs';
import { bytes, ratio, table } from './table.ts';

const built = `dist/test-cli-${process.pid}`;
let folder: string;
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bantam-cli-'));
  await buildNode(built);
  const net = model({
    nodes: [
      node('Conv', ['x', 'w1', 'b1'], ['c1'], [attr.ints('strides', [4, 4])], { name: 'conv1' }),
      node('Relu', ['c1'], ['r1'], [], { name: 'relu1' }),
      node('Flatten', ['r1'], ['f'], [], { name: 'flat' }),
      node('Gemm', ['f', 'w2', 'b2'], ['y'], [], { name: 'out' }),
    ],
    inputs: [value('x', ['N', 1, 28, 'W'])],
    outputs: [value('y', ['N', 10])],
    initializers: [
      randomTensor('w1', [8, 1, 4, 4]),
      randomTensor('b1', [8]),
      randomTensor('w2', [392, 10]),
      randomTensor('b2', [10]),
    ],
  });
  writeFileSync(at('net.onnx'), writeModel(net));
  writeFileSync(at('broken.onnx'), writeModel(net).slice(0, 100));
  writeFileSync(at('half.json'), recipe('{"technique": "prune-channels", "params": {"ratio": 0.5}}'));
  writeFileSync(at('nothing.json'), recipe('{"technique": "prune-channels", "select": {"op": "LSTM"}}'));
  writeFileSync(at('unknown.json'), recipe('{"technique": "squeeze"}'));
  writeFileSync(at('torn.json'), '{"bantam": 1, ');
  writeFileSync(at('marked.json'), `\uFEFF${recipe('{"technique": "prune-channels", "params": {"ratio": 0.5}}')}`);
  writeFileSync(at('newer.json'), '{"bantam": 2, "steps": []}');
  writeFileSync(at('stepless.json'), '{"bantam": 1}');
  writeFileSync(at('static.json'), recipe('{"technique": "quantize", "params": {"mode": "static"}}'));
  writeFileSync(at('train.json'), recipe('{"technique": "train"}'));
  writeFileSync(at('below.json'), '{"bantam": 1, "target": {"opset": 13}, "steps": []}');
  writeFileSync(at('empty.onnx'), '');
  symlinkSync(at('net.onnx'), at('link.onnx'));
  const wider = { inputs: [value('x', ['N', 4])], outputs: [value('y', ['N', 4])] };
  writeFileSync(at('wide.onnx'), writeModel(model({ ...wider, nodes: [node('Relu', ['x'], ['y'])] })));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  rmSync(join(root, built), { recursive: true, force: true });
});

const applied = (recipeName: string, out: string, source = 'net.onnx'): string[] => {
  return ['apply', at(source), '--recipe', at(recipeName), '-o', out === '' ? folder : at(out)];
};
const recipe = (step: string): string => `{"bantam": 1, "seed": 3, "steps": [${step}]}`;

function bantam(...args: string[]): { code: number | null; out: string; err: string } {
  const run = spawnSync(process.execPath, [join(root, built, 'cli.mjs'), ...args], {
    encoding: 'utf8',
    env: { ...process.env, BANTAM_HOME: at('home') },
  });
  return { code: run.status, out: run.stdout, err: run.stderr };
}

function json(...args: string[]): Record<string, unknown> {
  const { code, out, err } = bantam(...args, '--json');
  expect([code, err]).toEqual([0, '']);
  return JSON.parse(out) as Record<string, unknown>;
}

const shape = ['--shape', 'x=1,1,28,28'];
const inspected = {
  opset: 17,
  nodes: 4,
  // 8 x 16 + 8, 392 x 10 + 10
  parameters: 136 + 3930,
  // 8 x 7 x 7 outputs of 16 each, 392 x 10
  macs: 6272 + 3920,
  notCounted: [],
  layers: [
    { name: 'conv1', op: 'Conv', parameters: 136, macs: 6272, outputShape: [1, 8, 7, 7] },
    { name: 'relu1', op: 'Relu', parameters: 0, macs: 0, outputShape: [1, 8, 7, 7] },
    { name: 'flat', op: 'Flatten', parameters: 0, macs: 0, outputShape: [1, 392] },
    { name: 'out', op: 'Gemm', parameters: 3930, macs: 3920, outputShape: [1, 10] },
  ],
};

describe('bantam', () => {
  it('inspect: JSON as the README names it', () => {
    const got = json('inspect', at('net.onnx'), ...shape);
    expect(got).toMatchObject(inspected);
    expect(got.fileBytes).toBe(readFileSync(at('net.onnx')).length);
    expect(got.peakActivationBytes).toBe((28 * 28 + 8 * 7 * 7) * 4);
    expect(Object.keys(got)).toEqual([
      'opset',
      'nodes',
      'parameters',
      'macs',
      'fileBytes',
      'peakActivationBytes',
      'notCounted',
      'layers',
      'activationBytes',
      'latencyMs',
    ]);
  });

  it('inspect: what depends on an unknown dimension is null, not zero, and the table says what to do', () => {
    const got = json('inspect', at('net.onnx'));
    expect([got.macs, got.peakActivationBytes, got.parameters]).toEqual([null, null, inspected.parameters]);
    const { out } = bantam('inspect', at('net.onnx'));
    expect(out).toContain('conv1');
    expect(out).toContain('unknown');
    expect(out).toContain('--shape');
  });

  it('preview, then apply: predicted is what stands in the written file', () => {
    const seen = json('preview', at('net.onnx'), '--recipe', at('half.json'), ...shape) as unknown as Told;
    expect(seen.before).toMatchObject({ macs: inspected.macs, parameters: inspected.parameters });
    expect(seen.predicted).toMatchObject({ macs: inspected.macs / 2, parameters: 68 + 1970 });
    const args = ['--recipe', at('half.json'), '-o', at('light.onnx'), ...shape, '--threads', '1'];
    const { code, out } = bantam('apply', at('net.onnx'), ...args, '--json');
    expect(code).toBe(0);
    const done = JSON.parse(out) as Told;
    expect(done.after).toEqual(done.predicted);
    expect(done.predicted).toEqual(seen.predicted);
    expect(done.before).toEqual(seen.before);
    expect(done.steps).toMatchObject([{ technique: 'prune-channels' }]);
    expect(json('inspect', at('light.onnx'), ...shape)).toMatchObject(done.after);
  });

  it('zoo: builds a network that says what the list says, and names what is near a wrong name', () => {
    const { networks } = json('zoo', 'list') as { networks: { id: string; parameters: number }[] };
    expect(networks.find((n) => n.id === 'squeezenet-1.1')?.parameters).toBe(1_235_496);
    const build = (name: string, ...more: string[]) => ['zoo', 'build', name, ...more, '-o', at('zoo.onnx')];
    const small = build('squeezenet-1.1', '--width', '0.25', '--input', '3,64,64', '--classes', '7');
    const built = json(...small);
    const { parameters, macs, fileBytes } = json('inspect', at('zoo.onnx'));
    expect({ parameters, macs, fileBytes }).toEqual({
      parameters: built.parameters,
      macs: built.macs,
      fileBytes: built.fileBytes,
    });
    expect(bantam(...build('resnet50')).err).toBe(
      'bantam: there is no network "resnet50" in the zoo. Did you mean resnet-50?\n',
    );
    expect(bantam(...build('alexnet', '--input', '3,16,16')).err).toMatch(/^bantam: the input is too small.*\n$/);
    expect(bantam(...build('alexnet', '--width', '0')).code).toBe(1);
  });

  it('takes a recipe that an editor marked with a byte order mark', () => {
    const told = (recipe: string) => json('preview', at('net.onnx'), '--recipe', at(recipe), ...shape);
    expect(told('marked.json')).toEqual(told('half.json'));
  });

  it('gives the same bytes for the same seed', () => {
    for (const name of ['one.onnx', 'two.onnx']) expect(bantam(...applied('half.json', name), ...shape).code).toBe(0);
    expect(readFileSync(at('one.onnx'))).toEqual(readFileSync(at('two.onnx')));
  });

  it('compare: a model with itself is identical, with another it is not', () => {
    const [net, same] = [at('net.onnx'), bantamCopy()];
    expect(json('compare', net, same, ...shape)).toMatchObject({ agreement: 1, maxAbsError: 0, sqnrDb: null });
    expect(bantam('apply', net, '--recipe', at('half.json'), '-o', at('light.onnx'), ...shape).code).toBe(0);
    const other = json('compare', net, at('light.onnx'), ...shape) as { sqnrDb: number; maxAbsError: number };
    expect(other.sqnrDb).toBeLessThan(60);
    expect(other.maxAbsError).toBeGreaterThan(0);
    expect(bantam('compare', net, same, ...shape).out).toContain('identical');
  });

  it('evaluate: accuracy only with its interval, samples and split', () => {
    const { code, out } = bantam('evaluate', at('net.onnx'), '--data', 'digits', '--preprocess', 'unit', '--json');
    expect(code).toBe(0);
    const got = JSON.parse(out) as { top1: number; interval95: [number, number]; samples: number; split: string };
    expect(got.samples).toBe(2000);
    expect(got.split).toContain('test');
    expect(got.interval95[0]).toBeLessThan(got.top1);
    expect(got.interval95[1]).toBeGreaterThan(got.top1);
    expect(got).toMatchObject({ preprocess: { scale: 255 }, latencyMs: { median: expect.any(Number) } });
  });

  it('apply: the card beside the model says its preprocessing, told beside the accuracy', () => {
    copyFileSync(at('net.onnx'), at('carded.onnx'));
    writeFileSync(at('carded.json'), '{"title": "any", "preprocess": {"scale": 100, "mean": [0.25]}}');
    const args = ['--data', 'digits', '--recipe', at('half.json'), '-o', at('x.onnx'), '--shape', 'x=1,1,28,28'];
    const done = bantam('apply', at('carded.onnx'), ...args);
    expect(done.err).toContain('carded.json taken');
    expect(done.out).toContain('preprocessing scale 100, mean 0.25');
  });

  it('evaluate: unlabelled data states agreement with a reference, never an accuracy', () => {
    const rows = Array.from({ length: 10 }, (_, i) => Array.from({ length: 16 }, (_, k) => (i * k) % 256).join());
    writeFileSync(at('plain.csv'), rows.join('\n'));
    const args = [
      'evaluate',
      at('net.onnx'),
      '--data',
      `${at('plain.csv')}#label=none`,
      '--reference',
      at('net.onnx'),
      ...shape,
    ];
    const got = json(...args);
    expect(got).toMatchObject({ top1: null, interval95: null, reference: { sqnrDb: null, maxAbsError: 0 } });
    const { out } = bantam(...args);
    expect(out).toContain('no accuracy');
    expect(out).toContain('identical');
  });

  const bad: readonly (readonly [string, () => string[], RegExp])[] = [
    ['a missing file', () => ['inspect', at('no.onnx')], /no\.onnx/],
    ['a broken file', () => ['inspect', at('broken.onnx')], /broken\.onnx/],
    ['a file of another kind', () => ['inspect', at('half.json')], /half\.json/],
    ['an unknown command', () => ['inspekt'], /inspekt/],
    ['an unknown option', () => ['inspect', at('net.onnx'), '--jsn'], /--jsn/],
    ['a missing recipe', () => ['preview', at('net.onnx')], /--recipe/],
    ['a recipe that is not there', () => ['preview', at('net.onnx'), '--recipe', at('no.json')], /no\.json/],
    ['a torn recipe', () => ['preview', at('net.onnx'), '--recipe', at('torn.json')], /torn\.json/],
    ['an unknown technique', () => ['preview', at('net.onnx'), '--recipe', at('unknown.json')], /squeeze/],
    ['a step that fits nothing', () => ['preview', at('net.onnx'), '--recipe', at('nothing.json')], /step 1|LSTM/i],
    ['a bad shape', () => ['inspect', at('net.onnx'), '--shape', 'x=1,b'], /name=1,3,224,224/],
    ['a shape of no input', () => ['inspect', at('net.onnx'), '--shape', 'z=1'], /It has: x/],
    ['a shape that is fixed', () => ['inspect', at('net.onnx'), '--shape', 'x=1,3,28,28'], /fixed/],
    ['what the runtime refuses', () => ['compare', at('net.onnx'), at('net.onnx')], /runtime/],
    ['a bad seed', () => ['preview', at('net.onnx'), '--recipe', at('half.json'), '--seed', '-1'], /--seed/],
    ['unknown data', () => ['evaluate', at('net.onnx'), '--data', at('nowhere')], /nowhere/],
    ['an unknown preset', () => ['evaluate', at('net.onnx'), '--data', 'digits', '--preprocess', 'x'], /"x"/],
    ['an empty file', () => ['inspect', at('empty.onnx')], /empty/],
    ['a folder', () => ['inspect', folder], /no file/],
    ['a recipe of a newer version', () => ['preview', at('net.onnx'), '--recipe', at('newer.json')], /expected 1/],
    ['a recipe without steps', () => ['preview', at('net.onnx'), '--recipe', at('stepless.json')], /missing.*steps/],
    ['an opset above its target', () => ['preview', at('net.onnx'), '--recipe', at('below.json')], /opset 17.*13/],
    ['calibration without data', () => applied('static.json', 'x.onnx'), /needs data to calibrate/],
    ['training without data', () => applied('train.json', 'x.onnx'), /needs data to train/],
    ['a result that is a folder', () => applied('half.json', ''), /folder/],
    ['a result below a file', () => applied('half.json', 'empty.onnx/x.onnx'), /empty\.onnx is no folder/],
    ['a result over a device', () => [...applied('half.json', '').slice(0, -1), '/dev/null'], /no file/],
    ['a result without a name', () => [...applied('half.json', '').slice(0, -1), ' '], /name of a file/],
    ['an option taken for the result', () => [...applied('half.json', '').slice(0, -1), '--json'], /name of a file/],
    ['a link to the original as the result', () => applied('half.json', 'link.onnx'), /overwrite/],
    ['the original as the result of its link', () => applied('half.json', 'net.onnx', 'link.onnx'), /overwrite/],
    [
      'models whose outputs differ in size',
      () => ['compare', at('net.onnx'), at('wide.onnx'), ...shape],
      /compared|input/,
    ],
    ['no sample of that name', () => ['assets', 'nobody'], /nobody/],
    [
      'a result over its original',
      () => ['apply', at('net.onnx'), '--recipe', at('half.json'), '-o', at('net.onnx')],
      /overwrite/,
    ],
  ];
  it.each(bad)('ends with one clear line and code 1 on %s, and leaves no file', (_name, args, words) => {
    const before = readdirSync(folder);
    const { code, out, err } = bantam(...args());
    expect([code, out]).toEqual([1, '']);
    expect(err.trim().split('\n')).toHaveLength(1);
    expect(err).toMatch(words);
    expect(err).not.toMatch(/\bat .*:\d+:\d+/);
    expect(readdirSync(folder)).toEqual(before);
  });

  it('serve: prints its address, keeps the runtime out of its own process, and ends on a signal', async () => {
    const child = spawn(process.execPath, [join(root, built, 'cli.mjs'), 'serve'], {
      env: { ...process.env, BANTAM_HOME: at('home') },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const line = await new Promise<string>((resolve) => child.stdout.setEncoding('utf8').once('data', resolve));
    expect(line).toMatch(/http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{32}/);
    if (process.platform === 'linux')
      expect(readFileSync(`/proc/${child.pid}/maps`, 'utf8')).not.toContain('onnxruntime');
    const code = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGTERM');
    expect(await code).toBe(0);
  });
});

interface Told {
  readonly before: Record<string, unknown>;
  readonly predicted: Record<string, unknown>;
  readonly after: Record<string, unknown>;
  readonly steps: unknown;
}

function bantamCopy(): string {
  writeFileSync(at('same.onnx'), readFileSync(at('net.onnx')));
  return at('same.onnx');
}

describe('tables', () => {
  it('align numbers right, words left, and leave no blanks at line ends', () => {
    expect(
      table(
        ['name', 'n'],
        [
          ['a', '1'],
          ['long', '1,000'],
        ],
      ),
    ).toBe(['name      n', '----  -----', 'a         1', 'long  1,000'].join('\n'));
  });
  it('write sizes with three digits, ratios and unknowns plainly', () => {
    expect([bytes(0), bytes(999), bytes(1000), bytes(1_724_000), bytes(null)]).toEqual([
      '0 B',
      '999 B',
      '1.00 kB',
      '1.72 MB',
      'unknown',
    ]);
    expect([ratio(10, 5), ratio(5, 5), ratio(5, 0), ratio(null, 5)]).toEqual(['2.00x', 'same', '', '']);
  });
});

describe('train', () => {
  const trained = (...more: string[]): string[] => [
    'train',
    at('net.onnx'),
    '--data',
    'digits',
    '--preprocess',
    'unit',
    '--threads',
    '1',
    '-o',
    at('trained.onnx'),
    ...more,
  ];
  it('writes the best epoch, and tells curve, validation and test before and after', () => {
    const run = bantam(
      ...trained(
        '--epochs',
        '1',
        '--batch',
        '100',
        '--optimizer',
        'adam',
        '--lr',
        '0.01',
        '--augment',
        'none',
        '--seed',
        '5',
        '--json',
      ),
    );
    expect([run.code, run.err]).toEqual([0, expect.stringContaining('epoch 1')]);
    const said = JSON.parse(run.out);
    expect(said).toMatchObject({ output: at('trained.onnx'), bestEpoch: 1, curve: [{ epoch: 1 }] });
    expect(said.validation).toBe(said.curve[0].validation);
    expect(said.test.before.samples).toBe(2000);
    expect(said.test.after.top1).toBeGreaterThan(said.test.before.top1 + 0.1);
    // Taught by what was trained; the first layer stays as it is.
    expect(bantam(...trained('--teacher', at('trained.onnx'))).err).toContain('would overwrite the original');
    const other = trained(
      '--teacher',
      at('trained.onnx'),
      '--freeze',
      'conv',
      '--epochs',
      '1',
      '--augment',
      'none',
      '--json',
    );
    const second = bantam(...other.map((a, i) => (other[i - 1] === '-o' ? at('taught.onnx') : a)));
    expect([second.code, second.err]).toEqual([0, expect.stringContaining('distill')]);
    expect(JSON.parse(second.out).layers).toEqual([{ id: 'out', taken: true, what: 'trained' }]);
  });
  it.each([
    [['--epochs', '0'], '--epochs takes 1 to 1000'],
    [['--optimizer', 'lion'], 'Allowed choices are sgd, adam, adamw'],
    [['--augment', 'blur=1'], 'augmentation knows no "blur"'],
    [['--temperature', '3'], 'this option needs a teacher'],
    [['--freeze', 'LSTM'], 'LSTM'],
    [['--teacher', 'nowhere.onnx'], 'nowhere.onnx'],
  ])('refuses %s in one line', (more, message) => {
    const run = bantam(...trained(...more));
    expect([run.code, run.out, run.err.trim().split('\n').length]).toEqual([1, '', 1]);
    expect(run.err).toContain(message);
  });
});
