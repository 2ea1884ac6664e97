/** Owns the README that a device kit carries: how to measure it with any build of ONNX Runtime, and how results are written. */
import { kitModels, kitVersion } from '#shared/zoo/kit/kit-models.ts';

export const kitReadme = (): string => `# Device kit ${kitVersion}

${kitModels.length} small ONNX models, one kernel class, shape and numeric type each, several kernels in a row. \`runs.json\` lists them: id, file,
type and dimensions of the one input, \`input\`. None is a network; their weights are all one small number.

## Measure

On the device, with any build of ONNX Runtime (or another runtime that reads ONNX): for every model open a session once, run it a
few times to warm up, then time at least 20 runs, alone on the device, with the threads and the execution provider that your
application will use. Fill the input with 0.5. Leave out models that the device cannot run: half floats on a CPU without them, for example.

With the runtime's own tool, from this folder (it prints the mean time of a run):

    for m in *.onnx; do
      s=$(onnxruntime_perf_test -I -m times -r 50 "$m" | sed -n 's/^Average inference time cost.*: \\([0-9.]*\\) ms.*/\\1/p')
      echo "\${m%.onnx},$s" >> results.csv
    done

Where Node.js runs, \`bantam device run -o results.json\` measures the same models by itself.

## Results

Either lines \`id,ms\` (a header, empty lines and lines that begin with # are passed over):

    conv1x1-32-64-56-fp32,1.84

or JSON, which also names the device; \`ms\` is a median or a list of every time:

    {
      "kit": ${kitVersion},
      "device": { "id": "my-board", "name": "My board", "kind": "board", "unit": "cpu", "memoryBytes": 4000000000 },
      "software": "ONNX Runtime 1.30, CPU, 4 threads",
      "date": "2026-03-01",
      "runs": [{ "id": "conv1x1-32-64-56-fp32", "ms": [1.84, 1.83, 1.9] }]
    }

## Import

    bantam device import results.csv --name "My board" -o my-board.json
    bantam estimate MODEL --device my-board.json

The import fits a rate for each kernel class and type, a bandwidth for each class, a cost a kernel and a cost a run, and says how far
it is off, also on runs that the fit had not seen.
`;
