/** Owns recipePage: the text of docs/recipe.md, its tables read off the registry of techniques. */
import type { Field } from '../base/fields.ts';
import type { Technique } from '../techniques/declare.ts';
import { techniques } from '../techniques/index.ts';
import { preprocessPresets } from '../training/preprocess.ts';

function takes(field: Field): string {
  switch (field.kind) {
    case 'number':
      return `${field.integer ? 'whole number' : 'number'}, ${field.min} to ${field.max}`;
    case 'choice':
      return field.options.map((o) => `\`${JSON.stringify(o.value)}\``).join(', ');
    case 'text':
      return 'text';
    case 'switch':
      return '`true`, `false`';
  }
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

/** Columns padded, as the formatter of the project leaves them. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, c) => Math.max(...rows.map((r) => (r[c] ?? '').length)));
  const line = (cells: readonly string[]): string => `| ${cells.map((x, c) => x.padEnd(widths[c] ?? 0)).join(' | ')} |`;
  const [head = [], ...rest] = rows;
  return [line(head), line(widths.map((w) => '-'.repeat(w))), ...rest.map(line)].join('\n');
}

function section(t: Technique): string {
  const rows = Object.entries(t.params).map(([name, f]) => {
    const standing = f.optional ? 'none' : `\`${JSON.stringify(f.default)}\``;
    return [`\`${name}\``, takes(f), standing, cell(f.help?.en ?? f.label.en)];
  });
  const cites = t.cites.map(
    (c) => `${c.authors}: ${c.title} (${c.where.includes(String(c.year)) ? c.where : `${c.where}, ${c.year}`}).`,
  );
  return [
    `### \`${t.id}\``,
    t.summary.en,
    table([['parameter', 'takes', 'default', 'meaning'], ...rows]),
    ...(cites.length === 0 ? [] : [`From: ${cites.join(' ')}`]),
  ].join('\n\n');
}

/** The whole page. */
export const recipePage = (): string => `# The recipe

A recipe is a JSON document: what is done to a model, step by step. The studio saves it with the project; the command line takes
it with \`--recipe\`. The same recipe, seed and model give the same bytes.

\`\`\`json
{
  "bantam": 1,
  "seed": 1,
  "target": { "opset": 17 },
  "preprocess": { "scale": 255, "mean": [0.1307], "std": [0.3081] },
  "steps": [
    { "technique": "prune-channels", "select": { "query": "conv over 1% of MACs" }, "params": { "ratio": 0.3 } },
    { "technique": "train", "params": { "epochs": 3 } },
    { "technique": "quantize", "select": { "all": true }, "params": { "mode": "static" } }
  ]
}
\`\`\`

- \`bantam\`: version of the document, 1. \`seed\`: of everything random, 1 where it is left out.
- \`target.opset\`: the opset of the result. The model is raised to it first; a model above it, or a step that needs more, is an error.
- \`target.runtime\`: \`onnxruntime\` (left out) or \`onnxruntime-web\`. Stored weights take the smallest form that it loads and decodes once.
- \`preprocess\`: how samples become the input: \`scale\`, \`mean\`, \`std\`, \`layout\`, \`colour\`, \`resize\`, \`invert\`. Presets of the
  command line: ${Object.keys(preprocessPresets)
    .map((n) => `\`${n}\``)
    .join(', ')}.
- \`steps\`: in order. \`"off": true\` keeps a step in the document and skips it. A step that fits nothing in its selection is an error;
  layers that it cannot take are listed with the reason. Unknown keys are refused.

## Which layers: \`select\`

\`{"all": true}\` (the default), \`{"names": ["conv1"]}\` (a layer's name, or its id where it has none), \`{"op": "Conv"}\`, or
\`{"query": "..."}\`. Terms of a query stand side by side (all must hold), or with \`and\`, \`or\`, \`not\` and parentheses:

| term                                            | picks                                              |
| ----------------------------------------------- | -------------------------------------------------- |
| \`conv\`, \`gemm\`, \`op:Conv\`                       | an operator                                        |
| \`depthwise\`, \`grouped\`, \`pointwise\`, \`linear\`   | a kind of layer                                    |
| \`3x3\`                                           | a kernel size                                      |
| \`name ~ "stage1"\`, \`name = "fc"\`                | a name, in part or whole                           |
| \`macs > 1%\`, \`parameters <= 10k\`, \`bytes > 1MB\` | figures: a number, or a share of the model's total |
| \`over 1% of MACs\`, \`under 10k parameters\`       | the same in words                                  |
| \`top 5 by macs\`                                 | the largest of the whole model                     |

## Techniques

\`ratio\` is always the share that is removed.

${techniques.map(section).join('\n\n')}
`;
