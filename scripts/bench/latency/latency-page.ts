/** Owns docs/latency.md: what `npm run bench -- latency --docs` found, by network and by kind of kernel. */
import type { BenchResult, NetResult } from './result.ts';

const signed = (percent: number): string => `${percent >= 0 ? '+' : ''}${percent.toFixed(1)} %`;

/** One table with its columns padded. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((h, k) => Math.max(h.length, ...rows.map((r) => (r[k] ?? '').length)));
  const line = (cells: readonly string[]): string => `| ${cells.map((c, k) => c.padEnd(widths[k] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((w) => '-'.repeat(w))), ...rows.map(line)].join('\n');
}

const networkRow = (n: NetResult): readonly string[] => [
  n.name,
  `${n.estimatedMs.toFixed(3)} ± ${n.plusMinusPercent.toFixed(0)} %`,
  n.measuredMs.toFixed(3),
  signed(n.errorPercent),
  n.againMs.toFixed(3),
  n.layers.medianErrorPercent === null ? '' : `${n.layers.medianErrorPercent.toFixed(0)} % of ${n.layers.count}`,
];

function formRows(networks: readonly NetResult[]): readonly (readonly string[])[] {
  const by = new Map<string, { count: number; estimated: number; measured: number; apart: number }>();
  for (const { form, estimatedMs, measuredMs } of networks.flatMap((n) => n.traced)) {
    const sum = by.get(form) ?? { count: 0, estimated: 0, measured: 0, apart: 0 };
    sum.count++;
    sum.estimated += estimatedMs;
    sum.measured += measuredMs;
    sum.apart += Math.abs(estimatedMs - measuredMs);
    by.set(form, sum);
  }
  return [...by]
    .sort((a, b) => b[1].measured - a[1].measured)
    .map(([form, { count, estimated, measured, apart }]) => [
      form,
      String(count),
      estimated.toFixed(3),
      measured.toFixed(3),
      signed((estimated / measured - 1) * 100),
      `${((100 * apart) / measured).toFixed(0)} %`,
    ]);
}

const verdict = (r: BenchResult): string => {
  const missed = [
    ...(r.medianErrorPercent > 12 ? ['the median error is above 12 %'] : []),
    ...(r.medianErrorPercent > 8 ? ['the aim of 8 % is missed'] : []),
    ...(r.within10 < 0.8 ? ['fewer than four in five networks lie within 10 %'] : []),
    ...(r.rankCorrelation < 0.95 ? ['the rank correlation is below 0.95'] : []),
  ];
  return missed.length === 0 ? 'All of this is as it was aimed at.' : `Missed: ${missed.join('; ')}.`;
};

const figureRows = (r: BenchResult, asked: number): readonly (readonly string[])[] => [
  ['networks', `${r.networks.length} of ${asked}`, ''],
  ['median error', `${r.medianErrorPercent.toFixed(1)} %`, '12 % at the worst, 8 %'],
  ['the same at one pace of the machine', `${r.medianAtPacePercent.toFixed(1)} %`, ''],
  ['within 10 %', `${(100 * r.within10).toFixed(0)} %`, '80 %'],
  ['rank correlation', r.rankCorrelation.toFixed(3), '0.95'],
  ['two measurements of one network differ by (median)', `${r.repeatNoisePercent.toFixed(1)} %`, ''],
  ['programs that wanted a processor meanwhile (median)', r.load.toFixed(1), ''],
];

/** `asked`: how many networks the benchmark has. */
export const latencyPage = (
  r: BenchResult,
  asked: number,
): string => `<!-- Written by npm run bench -- latency --docs; edit scripts/bench/latency/latency-page.ts. -->

# Latency on this computer: estimated against measured

\`npm run bench -- latency --docs\`, ${r.date.slice(0, 10)}, ${r.machine}, ${r.runtime}.

${table(['figure', 'found', 'aimed at'], figureRows(r, asked))}

${verdict(r)}

The estimate comes from the machine's calibration (\`device calibrate\`): kernels in chains whose sizes are drawn from a seed. No time of
a network of this page was used to fit or to tune it. Measured is the median of unprofiled runs in which the system took no processor away, of
the better of two openings; "again" is the other. "At one pace": each measurement divided by how much slower than during the calibration one
fixed convolution on one thread ran meanwhile, which is what other guests of the host take.

## By network

${table(['network', 'estimated ms', 'measured ms', 'error', 'again ms', 'layers of 50 us and more: median error'], r.networks.map(networkRow))}

## By kind of kernel

Every traced layer of all networks: milliseconds together, what the sum is off, and what single layers are off, by time.

${table(['kernel', 'layers', 'estimated', 'measured', 'sum off', 'layers off'], formRows(r.networks))}
`;
