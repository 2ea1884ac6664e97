/** Owns how a runtime's refusal of an execution provider is told. */

const longest = 300;
/** The runtime's own words: one line, without the place in its source that it begins with. */
export function providerReason(message: string): string {
  const line = message
    .replace(/^the runtime cannot (?:load|run) the model: /, '')
    .replace(/\/onnxruntime_src\/\S+:\d+ /, '')
    .replace(/\s+/g, ' ')
    .replace(/^onnxruntime::\S.* was false\. /, '')
    .trim();
  return line.length > longest ? `${line.slice(0, longest - 1)}…` : line;
}
