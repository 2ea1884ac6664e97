/** Owns the latency benchmark's report: one HTML page with a scatter of predicted against measured, and the table. */
import { createElement as h } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { CartesianGrid, ReferenceLine, Scatter, ScatterChart, XAxis, YAxis } from 'recharts';
import type { BenchResult } from './result.ts';

const size = { width: 760, height: 560 };

/** Both axes in decades: networks span three of them. */
function scatter(result: BenchResult): string {
  const points = result.networks.map((n) => ({
    name: n.name,
    measured: Math.log10(n.measuredMs),
    estimated: Math.log10(n.estimatedMs),
  }));
  const all = points.flatMap((p) => [p.measured, p.estimated]);
  const domain: [number, number] = [Math.floor(Math.min(...all) * 2) / 2, Math.ceil(Math.max(...all) * 2) / 2];
  const ticks: number[] = [];
  for (let t = Math.ceil(domain[0]); t <= domain[1]; t++) ticks.push(t);
  const axis = {
    type: 'number' as const,
    domain,
    ticks,
    tickFormatter: (v: number) => `${Number((10 ** v).toPrecision(2))} ms`,
  };
  return renderToStaticMarkup(
    h(
      ScatterChart,
      { ...size, margin: { top: 16, right: 24, bottom: 32, left: 32 } },
      h(CartesianGrid, { stroke: '#ddd' }),
      h(XAxis, { ...axis, dataKey: 'measured', name: 'measured', label: { value: 'measured', position: 'bottom' } }),
      h(YAxis, {
        ...axis,
        dataKey: 'estimated',
        name: 'estimated',
        label: { value: 'estimated', angle: -90, position: 'left' },
      }),
      h(ReferenceLine, {
        segment: [
          { x: domain[0], y: domain[0] },
          { x: domain[1], y: domain[1] },
        ],
        stroke: '#888',
        strokeDasharray: '4 4',
      }),
      h(Scatter, { data: points, fill: '#2563eb', isAnimationActive: false }),
    ),
  );
}

const escaped = (text: string): string => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

export function reportPage(result: BenchResult): string {
  const rows = result.networks
    .map(
      (n) =>
        `<tr><td>${escaped(n.name)}</td><td><u>${n.estimatedMs.toFixed(3)}</u> ±${n.plusMinusPercent.toFixed(0)} %</td><td>${n.measuredMs.toFixed(3)}</td><td>${n.rawMs.toFixed(3)}</td><td>${n.pace.toFixed(2)}</td><td>${n.errorPercent.toFixed(1)} %</td><td>${n.layers.medianErrorPercent === null ? '' : `${n.layers.medianErrorPercent.toFixed(0)} % of ${n.layers.count}`}</td></tr>`,
    )
    .join('\n');
  return `<!doctype html><meta charset="utf-8"><title>Latency, estimated against measured</title>
<style>body{font:14px system-ui;margin:2rem;max-width:60rem}table{border-collapse:collapse}td,th{padding:2px 12px;text-align:right;border-bottom:1px solid #ddd}td:first-child,th:first-child{text-align:left}u{text-decoration:underline dashed}</style>
<h1>Latency, estimated against measured</h1>
<p>${escaped(result.machine)}, ${escaped(result.runtime)}, ${escaped(result.date)}. Median error ${result.medianErrorPercent.toFixed(1)} %, within 10 %: ${(100 * result.within10).toFixed(0)} % of the networks, rank correlation ${result.rankCorrelation.toFixed(3)}; two measurements of one network differ by ${result.repeatNoisePercent.toFixed(1)} % (median).</p>
${scatter(result)}
<table><tr><th>network</th><th>estimated ms</th><th>measured ms</th><th>as timed</th><th>pace</th><th>error</th><th>layers</th></tr>
${rows}</table>`;
}
