/** Owns docs/devices.md: profiles and their format, and the estimates against published latencies, as they are now. */
import { devices } from '../devices/catalogue.ts';
import { originOf, quantitiesOf } from '../devices/profile.ts';
import { checkLatencies, medianError } from '../zoo/check-latency.ts';
import { kitModels } from '../zoo/kit/kit-models.ts';
import { table } from './recipe-page.ts';

const percent = (x: number | null): string =>
  x === null ? 'unknown' : `${x >= 0 ? '+' : ''}${(x * 100).toFixed(0)} %`;

function deviceRows(): readonly (readonly string[])[] {
  return devices().map((d) => {
    const origins = quantitiesOf(d).map(({ quantity }) => originOf(d, quantity).split(':')[0] ?? '');
    const count = (kind: string): number => origins.filter((o) => o === kind).length;
    const [derived, fitted, assumed, unknown] = ['derived', 'fitted', 'assumed', 'unknown'].map(count);
    const sourced = origins.length - [derived, fitted, assumed, unknown].reduce((a = 0, b = 0) => a + b, 0)!;
    const units = d.units.map((u) => `\`${u.id}\` ${u.name}`).join('; ');
    return [
      `\`${d.id}\``,
      d.name,
      `${d.kind}, ${d.year}`,
      units,
      `${sourced} / ${derived} / ${fitted} / ${assumed} / ${unknown}`,
    ];
  });
}

function checkRows(): readonly (readonly string[])[] {
  return checkLatencies().map((c) => {
    const net = `${c.net}${c.width === undefined ? '' : ` x ${c.width}`}${c.size === undefined ? '' : ` at ${c.size}`}`;
    const estimated = c.estimatedMs === null ? 'unknown' : c.estimatedMs.toFixed(2);
    const error = c.fitted ? 'fitted' : percent(c.error);
    return [
      `\`${c.device}\` \`${c.unit}\``,
      net,
      c.type,
      String(c.ms),
      estimated,
      error,
      `[${c.source}](${c.address})`,
    ];
  });
}

const fields: readonly (readonly string[])[] = [
  ['field', 'meaning'],
  ['`bantam`', '1, the version of the format'],
  ['`id name kind year`', 'kind: stick, board, phone, microcontroller, accelerator, computer'],
  ['`memory`', '`kind`, `bytes`, `bandwidth` in bytes a second'],
  ['`units[]`', 'compute units; the first is what an estimate is for, unless `--unit` says otherwise'],
  [
    '`units[].peak`',
    'MACs a second by type: fp32, fp16, int8, int4, binary; `null`: the unit has no such arithmetic, or none that is known',
  ],
  ['`units[].computesAs`', 'types that are computed as another, such as `{"fp32": "fp16"}`'],
  ['`units[].classes`', 'by kernel class, or `default`: `utilisation` by type or `any`, `bandwidthShare`, `launchUs`'],
  ['`units[].launchUs`, `runUs`', 'microseconds of a kernel and of a run'],
  ['`units[].bandwidth`', "of its own; `null`: the memory's. `link`: bytes a second over the cable"],
  ['`units[].onChip`', '`bytes` and what it `holds`: weights, activations, all'],
  ['`units[].operators`', '`"all"`, `{only, source}` or `{except, source}`, by ONNX operator'],
  ['`units[].fallback`', 'the unit that takes what this one refuses; `null`: nobody'],
  ['`energy`', '`macPj` by type, `memoryBytePj`, `onChipBytePj`; `null`: the general figures'],
];

const tableColumns: readonly (readonly string[])[] = [
  ['column', 'meaning'],
  ['`ms`', 'measured milliseconds; needed'],
  ['`layer`', "the layer's name; this or `op` is needed"],
  ['`op` `type`', 'ONNX operator; fp32, fp16, int8, int4, binary'],
  ['`batch` `height` `width`', 'of the input; for a fully connected layer `height` is its rows'],
  ['`kernel_height` `kernel_width` `stride` `groups`', 'of the window; 1 for a fully connected layer'],
  ['`in_channels` `out_channels`', 'channels, or features'],
];

/** The page, whole. */
export function devicePage(): string {
  const median = medianError(checkLatencies());
  return `<!-- Written by shared/testing/device-page.ts from the profiles themselves; edit it there. -->

# Devices

What a model would cost on a device that is not here. \`bantam device list\` names the devices, \`bantam estimate MODEL --device X\`
estimates, \`bantam device show X\` prints a profile with the origin of every number, \`bantam device check\` prints the last table
below. In the studio the title of the latency figure chooses the device, or loads a profile of your own. An estimate is always called one;
it never looks like a measurement.

## How it is estimated

A layer takes max(MACs / (peak x utilisation), bytes / (bandwidth x share)) + launch (the roofline: Williams, Waterman, Patterson
2009), on the unit that was asked, or on that unit's fallback where it refuses the operator or the numeric type. The layers are those of
the runtime after its fusions; the type is read from the graph: a quantize-dequantize group computes in int8, float16 in fp16, and
weights that are only stored in few bits compute in fp32. Memory on the chip holds weights, activations or both, first come first kept;
what does not fit comes from memory at every run. A run has a fixed cost, and inputs and outputs cross the cable of a stick. What
nobody takes, or whose work or rate is unknown, has no time, and the total says "at least". Where weights and peak activations are
more than the memory, there is no time at all. Activations are counted as the kernels keep them: a quantize-dequantize group in 8
bits, a float network on a unit of half floats in half.

Energy is MACs and bytes moved times figures of 45 nm logic (Horowitz 2014): fp32 4.6 pJ, fp16 1.5 pJ, int8 0.3 pJ a
multiply-accumulate, 162.5 pJ a byte from memory, 2.5 pJ a byte on the chip. It is no figure of the device unless its profile has
its own, and leaves out leakage and control. 4-bit and one-bit products are not in the paper: unknown.

The roofline knows no Winograd convolution (the ncnn rows of VGG-16 and GoogLeNet), no layout changes and no poor kernels (the
8-bit rows of ncnn on a 32-bit Raspberry Pi, MobileNet v2 in PocketFlow, which is as slow as v1 with half its products).

## The devices

Numbers by origin: sourced / derived by a formula / fitted / assumed / unknown. What is fitted or assumed is said with its reason by
\`device show\`.

${table([['device', 'name', 'kind', 'units', 'numbers'], ...deviceRows()])}

## A profile

One JSON file. \`bantam estimate --device FILE.json\` takes your own. A number is one of

\`\`\`json
{ "value": 29.8e9, "source": "maker", "date": "2017-09-02" }
{ "value": 9.44e9, "derived": "2.36 GHz (maker) x 4 lanes" }
{ "value": 0.42, "fitted": "MobileNet v1 float, 124.53 ms (maker)" }
{ "value": 2, "assumed": "a function call" }
\`\`\`

or \`null\`: unknown. Zero is refused. \`sources\` lists title, address and date by key.

${table(fields)}

## Your own device

\`bantam device kit -o FOLDER\` writes ${kitModels.length} small models, \`runs.json\` with their inputs, and a README that says how to
measure them with any build of ONNX Runtime. \`bantam device import RESULTS -o PROFILE.json\` fits a profile: a rate for each kernel
class and numeric type, a bandwidth for each class, a cost a kernel and a cost a run, by non-negative least squares (Lawson, Hanson 1974)
on relative errors. It states its error, also on runs that it had not seen. On a board with Node.js, \`bantam device run -o
RESULTS\` measures the kit by itself.

Tried on a 2-core x86-64 machine, one thread, ONNX Runtime 1.30: the fit met its 75 runs with a median error of 15 % (unseen: 27 %); eight
networks that it had not seen were estimated at 11.4 ms for 11.2 measured (MobileNet v2), 51.3 for 48.8 (ResNet-18), 11.1 for 9.8
(SqueezeNet 1.1), 18.4 for 19.5 (MobileNet v1), 12.1 for 11.5 (MnasNet-A1), 46.9 for 67.3 (GoogLeNet), 0.14 for 0.14 (LeNet-5) and 0.12
for 0.16 (MobileNet v2 for digits).

Results are JSON, \`{kit, device{id, name, kind, unit, memoryBytes}, software, date, runs[]{id, ms}}\` with \`ms\` a median or a list of times, or
CSV lines \`id,ms\`. A wrong line or field is refused by its place.

## A table of measured layers

\`bantam estimate MODEL --table FILE.csv\` looks the layers up in measured times, as NetAdapt does (Yang et al. 2018), and sums them.
The first line names the columns; lines that begin with # are passed over. What a file leaves out holds for any layer.

\`\`\`csv
op,type,height,kernel_height,stride,groups,in_channels,out_channels,ms
Conv,fp32,56,3,1,1,64,64,4.21
Conv,fp32,56,3,1,1,64,128,8.15
\`\`\`

${table(tableColumns)}

Rows that agree in all but channels are a grid: between two measured channel counts the time is interpolated (along the line where
both move together, for depthwise convolutions), beyond them the layer is "not in the table" and the sum says "at least".

## Against published latencies

Milliseconds. "fitted": a number of the profile was fitted to this row, so that it says nothing about the error. Median error of the
others: ${median === null ? 'unknown' : `${(median * 100).toFixed(0)} %`}.

${table([['device and unit', 'network', 'type', 'published', 'estimated', 'error', 'source'], ...checkRows()])}
`;
}
