/** Owns docs/law.md: what a full run of the law found, network by network. */
import { cpus, totalmem } from 'node:os';
import { techniques } from '#shared/techniques/index.ts';
import type { FullLaw } from '#shared/testing/full-law.ts';

/** What the techniques did on one network. */
export interface NetLaw {
  readonly net: string;
  readonly parameters: number;
  readonly commit: string;
  readonly at: string;
  readonly seconds: number;
  readonly rows: readonly (FullLaw & { readonly technique: string })[];
}

type Row = NetLaw['rows'][number];

/** One sign a pair; the page explains them. */
function sign(r: Row): string {
  if (r.broken.length > 0) return '**differs**';
  if (r.refused !== undefined) return '–';
  return { values: 'V', form: 'F', no: 'W' }[r.run];
}

const plain = (why: string): string => why.replace(/^[^:]*: (?=[A-Z])/, '').replace(/\.$/, '');

/** Reasons of a technique, each with the networks it is given for. */
function reasons(id: string, nets: readonly NetLaw[]): readonly string[] {
  const by = new Map<string, string[]>();
  for (const { net, rows } of nets)
    for (const r of rows)
      if (r.technique === id && r.refused !== undefined)
        by.set(plain(r.refused), [...(by.get(plain(r.refused)) ?? []), net]);
  return [...by].map(
    ([why, of]) => `- \`${id}\`: ${why} (${of.length > 6 ? `${of.length} networks` : of.join(', ')}).`,
  );
}

/** The page; `missing`: networks that no run has reached yet, which it names. */
export function lawPage(nets: readonly NetLaw[], missing: readonly string[], node: string, runtime: string): string {
  const rows = nets.flatMap((n) => n.rows);
  const count = (of: (r: Row) => boolean): number => rows.filter(of).length;
  const days = [...new Set(nets.map((n) => n.at.slice(0, 10)))].sort();
  const commits = [...new Set(nets.map((n) => n.commit))];
  const seconds = Math.round(nets.reduce((sum, n) => sum + n.seconds, 0));
  const machine = `${cpus().length} x ${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB`;
  const head = techniques.map(({ id }) => `\`${id}\``);
  const unrun = Math.min(...nets.filter((n) => n.rows.some((r) => sign(r) === 'W')).map((n) => n.parameters));
  const differs = nets.flatMap((n) =>
    n.rows.flatMap((r) => r.broken.map((line) => `- \`${r.technique}\` on ${n.net}: ${line}`)),
  );
  return `# The law on the whole zoo

Written by \`npm run law -- --full\` on ${days.join(' and ')}, at commit ${commits.join(', ')}; Node ${node}, ${runtime}, one thread; ${machine}; ${seconds} s.

Every technique with its first case on ${nets.length} networks of the zoo at full size. What the preview says of parameters, multiply-accumulates,
bytes of the file, nodes, opset and peak memory must be what the written graph says when it is read again, and the technique's
promises must hold. The graph is read as its skeleton: all but the values of large tensors, whose bytes are counted. Then the file runs.
CI holds the same law on every network of the zoo at width 0.25, two techniques of each run with their own values (\`shared/techniques/law.zoo.test.ts\`).

- **V**: holds; the file was run with its own values, and its outputs are those of the original (the technique promises the same function).
- **F**: holds; the file was run with stand-ins for large tensors (factorising, say, a whole network by singular values takes hours and changes no
  form): it loads, its outputs have the form promised, no weight is decoded on a call.
- **W**: holds; written and read, not run: networks from ${(unrun / 1e6).toFixed(1)} million parameters on (\`--run-up-to=MILLIONS\` runs more of them).
- **–**: refused, for a reason below. **differs**: a fault.

Of ${rows.length} pairs ${count((r) => r.broken.length === 0 && r.refused === undefined)} hold, ${count((r) => r.broken.length === 0 && r.refused !== undefined)} are refused with a reason, ${count((r) => r.broken.length > 0)} differ.
${missing.length === 0 ? '' : `\nNot run yet at full size: ${missing.join(', ')}.\n`}
| network | parameters | ${head.join(' | ')} |
|---|---|${techniques.map(() => '---').join('|')}|
${nets.map((n) => `| ${n.net} | ${n.parameters.toLocaleString('en')} | ${techniques.map((t) => n.rows.filter((r) => r.technique === t.id).map(sign)).join(' | ')} |`).join('\n')}

## Reasons

${techniques.flatMap((t) => reasons(t.id, nets)).join('\n')}
${differs.length === 0 ? '' : `\n## What differs\n\n${differs.join('\n')}\n`}`;
}
