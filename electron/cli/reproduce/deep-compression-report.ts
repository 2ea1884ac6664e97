/** Owns what `bantam reproduce deep-compression` tells: means over seeds, every seed, each stage beside the paper's figure. */
import { mean } from 'simple-statistics';
import { count } from '../table.ts';
import { deepCompressionNets, runSeed, type Schedule, type SeedRun, type Stage } from './deep-compression.ts';
import { type Page, points, publish, signed, times } from './page.ts';
import { meanOrNull, type Study, type StudyOptions, seedsUpTo, withStudy } from './study.ts';

export interface NetReport {
  readonly name: string;
  readonly denseBytes: number;
  readonly archiveBytes: number;
  readonly ratio: number;
  readonly errorBefore: number;
  readonly errorAfter: number;
  readonly control: number;
  readonly seeds: readonly SeedRun[];
  readonly stages: readonly Stage[];
}

/** Means over the seeds of one net. */
export function reportOf(name: string, seeds: readonly SeedRun[]): NetReport {
  const of = (pick: (s: SeedRun) => number): number => mean(seeds.map(pick));
  const stages = (seeds[0]?.stages ?? []).map((first, k): Stage => {
    const all = seeds.flatMap((s) => s.stages[k] ?? []);
    return {
      ...first,
      bytes: mean(all.map((s) => s.bytes)),
      ratio: mean(all.map((s) => s.ratio)),
      validation: mean(all.map((s) => s.validation)),
      error: mean(all.map((s) => s.error)),
      mnistTest: meanOrNull(all.map((s) => s.mnistTest)),
    };
  });
  return {
    name,
    denseBytes: seeds[0]?.stages[0]?.bytes ?? 0,
    archiveBytes: of((s) => s.archiveBytes),
    ratio: of((s) => s.ratio),
    errorBefore: of((s) => s.errorBefore),
    errorAfter: of((s) => s.errorAfter),
    control: of((s) => s.control),
    seeds,
    stages,
  };
}

/** Whether the aim is met: the paper's ratio, 0.2 points lost in the mean, 0.6 at most in any seed. */
function verdict(n: NetReport, aim: number): string {
  const loss = n.errorAfter - n.errorBefore;
  const worst = Math.max(...n.seeds.map((s) => s.errorAfter - s.errorBefore));
  const least = Math.min(...n.seeds.map((s) => s.ratio));
  const met = [
    `ratio ${times(n.ratio)} in the mean, ${times(least)} at least (aim ${times(aim)}: ${least >= aim ? 'met' : 'missed'})`,
    `error ${points(n.errorBefore)} -> ${points(n.errorAfter)}, ${signed(loss)} points in the mean (aim +0.20: ${loss <= 0.2 + 1e-9 ? 'met' : 'missed'}), ${signed(worst)} in the worst seed (aim +0.60: ${worst <= 0.6 + 1e-9 ? 'met' : 'missed'})`,
    `the dense control, with the same extra epochs, ${points(n.control)}`,
  ];
  return `${met.join('; ')}.`;
}

function sectionOf(n: NetReport): Page['sections'][number] {
  const net = deepCompressionNets.find((x) => x.name === n.name);
  const stages = {
    head: ['stage', 'bytes', 'ratio', 'paper', 'error', 'MNIST test'],
    rows: n.stages.map((s) => [
      s.stage,
      count(Math.round(s.bytes)),
      times(s.ratio),
      times(s.paperRatio),
      points(s.error),
      points(s.mnistTest),
    ]),
  };
  const seeds = {
    head: [
      'seed',
      'archive bytes',
      'ratio',
      'dense',
      'packed',
      'control',
      'MNIST dense',
      'packed',
      'control',
      'seconds',
    ],
    rows: n.seeds.map((s) => [
      String(s.seed),
      count(s.archiveBytes),
      times(s.ratio),
      points(s.errorBefore),
      points(s.errorAfter),
      points(s.control),
      points(s.stages[0]?.mnistTest ?? null),
      points(s.stages.at(-1)?.mnistTest ?? null),
      points(s.controlErrors.mnistTest),
      s.seconds.toFixed(0),
    ]),
  };
  const paper = net?.paper;
  const e = net?.epochs;
  const epochs = `${e?.dense} dense, ${e?.retrain} after pruning, ${e?.codebook} after sharing`;
  const aim = paper?.ratios[2] ?? 0;
  const bits = Object.entries(net?.bits ?? {}).map(([name, n]) => `${name} ${n}`);
  return {
    title: n.name,
    parts: [
      `Pruned: ${((net?.ratio ?? 0) * 100).toFixed(1)} % of all weights. Bits of an index: ${bits.join(', ')}. Epochs: ${epochs}. ${verdict(n, aim)}`,
      ...(paper === undefined
        ? []
        : [
            `The paper: error ${points(paper.errorBefore)} -> ${points(paper.errorAfter)} of MNIST's 10,000 test digits, after training with 60,000.`,
          ]),
      stages,
      'Every seed:',
      seeds,
    ],
  };
}

export function deepCompressionPage(nets: readonly NetReport[]): Page {
  return {
    title: 'Deep Compression of both LeNets',
    about: [
      'Han, Mao, Dally 2016, Table 1: prune, retrain, share, retrain the codebook, Huffman coding.',
      `Trained with the 7,000 training digits, augmented; chosen with 1,000 validation digits; errors of the 2,000 test digits, and of MNIST's own 10,000 test digits where they are here. While it is cut, and after sharing, the dense net teaches beside the labels; the dense control is the dense net after as many more epochs with the same teacher.`,
      'Bytes are 4 a parameter of the dense net, the ONNX file (pruned, shared) and the archive that "pack" writes (packed), graph, biases and tables included; each archive was unpacked and compared with its file before its error was taken. Seconds are those of all trainings of a seed, the control included, whatever else the machine did meanwhile.',
    ],
    sections: nets.map(sectionOf),
  };
}

/** Both nets with seeds 1, 2, ... */
export async function deepCompressionReport(
  study: Study,
  seeds: number,
  schedule?: Schedule,
): Promise<readonly NetReport[]> {
  const reports: NetReport[] = [];
  for (const net of deepCompressionNets) {
    const runs: SeedRun[] = [];
    for (const seed of seedsUpTo(seeds)) runs.push(await runSeed(study, net, seed, schedule));
    reports.push(reportOf(net.name, runs));
  }
  return reports;
}

export async function reproduceDeepCompression(options: StudyOptions): Promise<void> {
  const seeds = options.seeds ?? 1;
  await withStudy(options, async (study) => {
    const models = await deepCompressionReport(study, seeds);
    const page = deepCompressionPage(models);
    publish(options, study.parts.runtime.name, { models }, page, `deep-compression --seeds ${seeds}`);
  });
}
