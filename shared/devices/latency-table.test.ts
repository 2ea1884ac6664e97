/** Latency tables: read, looked up exactly, interpolated between channels, silent beyond them, refused by line. */
import { describe, expect, it } from 'vitest';
import { worksOf } from '../analysis/latency/works-of.ts';
import { model, node, randomTensor, value } from '../testing/build.ts';
import { lenet5 } from '../zoo/lenet.ts';
import { estimateByTable, lookUp, readLatencyTable } from './latency-table.ts';
import type { LayerWork } from './layer-work.ts';

/** A 3 x 3 convolution of so many channels at 8 x 8. */
function conv(cin: number, cout: number, groups = 1): LayerWork {
  const { layers } = worksOf(
    model({
      nodes: [
        node('Conv', ['x', 'w'], ['y'], [{ kind: 'int', name: 'group', value: BigInt(groups) }], { name: 'conv1' }),
      ],
      inputs: [value('x', [1, cin, 8, 8])],
      outputs: [value('y', [1, cout, 6, 6])],
      initializers: [randomTensor('w', [cout, cin / groups, 3, 3])],
    }),
  );
  return layers[0]!;
}

const table = readLatencyTable(
  `op,kernel_height,groups,in_channels,out_channels,ms
# measured on a phone
Conv,3,1,16,16,1
Conv,3,1,32,16,2
Conv,3,1,16,32,3
Conv,3,1,32,32,4
`,
  't.csv',
);

describe('a table by shape', () => {
  it('gives what was measured, and a mean in between', () => {
    expect(lookUp(table, conv(16, 16))).toBe(1);
    expect(lookUp(table, conv(32, 32))).toBe(4);
    expect(lookUp(table, conv(24, 16))).toBe(1.5);
    expect(lookUp(table, conv(24, 24))).toBe(2.5);
  });

  it('says nothing beyond what was measured', () => {
    expect(lookUp(table, conv(8, 16))).toBeNull();
    expect(lookUp(table, conv(16, 64))).toBeNull();
    expect(lookUp(table, conv(16, 16, 2))).toBeNull();
  });

  it('goes along a line for depthwise convolutions', () => {
    const depthwise = readLatencyTable('op,in_channels,out_channels,ms\nConv,16,16,1\nConv,32,32,2\n', 't.csv');
    expect(lookUp(depthwise, conv(24, 24, 24))).toBe(1.5);
  });

  it.each(['in_channels', 'out_channels'])('goes along that line by %s alone', (column) => {
    const depthwise = readLatencyTable(`op,${column},ms\nConv,16,1\nConv,32,2\n`, 't.csv');
    expect([16, 20, 24, 32, 40].map((c) => lookUp(depthwise, conv(c, c, c)))).toEqual([1, 1.25, 1.5, 2, null]);
  });

  it('by layer name: as a table of a network that is pruned', () => {
    const names = readLatencyTable('layer,in_channels,out_channels,ms\nconv1,16,16,1\nconv1,16,32,2\n', 't.csv');
    expect(lookUp(names, conv(16, 20))).toBe(1.25);
    const found = estimateByTable(names, worksOf(lenet5()).layers);
    expect(found.ms).toBeNull();
    expect(found.missing).toBe(4);
  });

  it('sums a model, and counts what it does not have', () => {
    const works = worksOf(lenet5()).layers;
    const rows = works
      .filter((l) => (l.macs ?? 0) > 0)
      .map((l, k) => `${l.id},${k + 1}`)
      .slice(0, 3);
    const found = estimateByTable(readLatencyTable(`layer,ms\n${rows.join('\n')}`, 't.csv'), works);
    expect([found.ms, found.missing]).toEqual([6, 1]);
  });
});

describe('a bad table is refused by line', () => {
  it.each([
    ['', 't.csv'],
    ['op,ms\n', 't.csv'],
    ['op,speed\nConv,1', 't.csv, line 1'],
    ['op\nConv', 't.csv, line 1'],
    ['in_channels,ms\n3,1', 't.csv, line 1'],
    ['op,op,ms\nConv,Conv,1', 't.csv, line 1'],
    ['op,ms\nConv', 't.csv, line 2'],
    ['op,ms\n# note\nConv,quick', 't.csv, line 3'],
    ['op,ms\nConv,0', 't.csv, line 2'],
    ['op,type,ms\nConv,fp8,1', 't.csv, line 2'],
    ['op,in_channels,ms\nConv,3.5,1', 't.csv, line 2'],
    ['op,in_channels,ms\nConv,3,1\nConv,3,2', 't.csv, line 3'],
    ['layer,ms\n,2', 't.csv, line 2'],
  ])('%j', (text, where) => {
    expect(() => readLatencyTable(text, 't.csv')).toThrow(expect.objectContaining({ code: 'bad-file', where }));
  });
});
