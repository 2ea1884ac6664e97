/**
 * Owns the latency benchmark's report: one HTML page with a scatter of predicted against measured, and the table. The scatter
 * is drawn here: recharts 3 draws nothing without a browser.
 */
import type { BenchResult } from './result.ts';

const escaped = (text: string): string => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
const side = 560;
const edge = 56;

/** Both axes in decades: networks span three of them. */
function scatter({ networks }: BenchResult): string {
  const logs = networks.flatMap((n) => [Math.log10(n.measuredMs), Math.log10(n.estimatedMs)]);
  const [low, high] = [Math.floor(Math.min(...logs)), Math.ceil(Math.max(...logs))];
  const at = (ms: number): number => edge + ((Math.log10(ms) - low) / Math.max(1, high - low)) * (side - 2 * edge);
  const up = (ms: number): number => side - at(ms);
  const decades = Array.from({ length: high - low + 1 }, (_, k) => 10 ** (low + k));
  const grid = decades.map(
    (ms) =>
      `<path d="M${at(ms)} ${edge}V${side - edge}M${edge} ${up(ms)}H${side - edge}" stroke="#ddd"/><text x="${at(ms)}" y="${side - edge + 18}" text-anchor="middle">${ms} ms</text><text x="${edge - 6}" y="${up(ms) + 4}" text-anchor="end">${ms} ms</text>`,
  );
  const points = networks.map(
    (n) =>
      `<circle cx="${at(n.measuredMs).toFixed(1)}" cy="${up(n.estimatedMs).toFixed(1)}" r="4" fill="#2563eb" fill-opacity=".7"><title>${escaped(n.name)}: estimated ${n.estimatedMs.toFixed(3)} ms, measured ${n.measuredMs.toFixed(3)} ms</title></circle>`,
  );
  const line = `<path d="M${edge} ${side - edge}L${side - edge} ${edge}" stroke="#888" stroke-dasharray="4 4"/>`;
  const names = `<text x="${side / 2}" y="${side - 12}" text-anchor="middle">measured</text><text transform="translate(14 ${side / 2}) rotate(-90)" text-anchor="middle">estimated</text>`;
  return `<svg width="${side}" height="${side}" font-size="12">${grid.join('')}${line}${points.join('')}${names}</svg>`;
}

export function reportPage(result: BenchResult): string {
  const rows = result.networks
    .map(
      (n) =>
        `<tr><td>${escaped(n.name)}</td><td><u>${n.estimatedMs.toFixed(3)}</u> ±${n.plusMinusPercent.toFixed(0)} %</td><td>${n.measuredMs.toFixed(3)}</td><td>${n.pace.toFixed(2)}</td><td>${n.errorPercent.toFixed(1)} %</td><td>${n.layers.medianErrorPercent === null ? '' : `${n.layers.medianErrorPercent.toFixed(0)} % of ${n.layers.count}`}</td></tr>`,
    )
    .join('\n');
  return `<!doctype html><meta charset="utf-8"><title>Latency, estimated against measured</title>
<style>body{font:14px system-ui;margin:2rem;max-width:60rem}table{border-collapse:collapse}td,th{padding:2px 12px;text-align:right;border-bottom:1px solid #ddd}td:first-child,th:first-child{text-align:left}u{text-decoration:underline dashed}</style>
<h1>Latency, estimated against measured</h1>
<p>${escaped(result.machine)}, ${escaped(result.runtime)}, ${escaped(result.date)}. Median error ${result.medianErrorPercent.toFixed(1)} %, within 10 %: ${(100 * result.within10).toFixed(0)} % of the networks, rank correlation ${result.rankCorrelation.toFixed(3)}; two measurements of one network differ by ${result.repeatNoisePercent.toFixed(1)} % (median).</p>
${scatter(result)}
<table><tr><th>network</th><th>estimated ms</th><th>measured ms</th><th>pace</th><th>error</th><th>layers</th></tr>
${rows}</table>`;
}
