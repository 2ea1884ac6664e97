/** Owns how a measured profile reads on a terminal. */
import type { Profile } from '#shared/contract/profile.ts';
import { bytes, milliseconds, percent, table } from './table.ts';

type Timing = Profile['latencyMs'];

const threadsText = (n: number | null): string => (n === null ? 'all cores' : n === 1 ? '1 thread' : `${n} threads`);

const timingText = (t: Timing): string =>
  `median ${milliseconds(t.median)} (95 %: ${milliseconds(t.interval95[0])} to ${milliseconds(t.interval95[1])}), ` +
  `p95 ${milliseconds(t.p95)}, spread ${percent(t.spread)}, ${t.runs} samples`;

function layersText(profile: Profile): string {
  const { trace, latencyMs } = profile;
  if (trace === null) return 'Too large to be traced layer by layer.';
  const rows = trace.layers.map((l) => [
    l.id ?? '(the runtime)',
    l.kernel === l.op ? l.op : `${l.op} as ${l.kernel}`,
    `${l.belowResolution ? '< ' : ''}${milliseconds(l.ms)}`,
    percent(l.ms / latencyMs.median),
    l.fused.length > 3 ? `${l.fused.slice(0, 3).join(' ')} + ${l.fused.length - 3}` : l.fused.join(' '),
  ]);
  const note =
    `Layers are scaled to the unprofiled median; traced, they add up to ${trace.rawRatio.toFixed(2)} of what untraced runs ` +
    `between took (${trace.runs} runs). "<": less than 20 us, below what the trace resolves.`;
  const removed = trace.removed.length === 0 ? '' : `\nWithout time of their own: ${trace.removed.join(', ')}`;
  return `${table(['layer', 'operator', 'time', 'share', 'with'], rows)}\n\n${note}${removed}`;
}

function versusText(v: NonNullable<Profile['versus']>): string {
  const [low, high] = v.interval95;
  const range = `${v.ratio.toFixed(3)} of the time (95 %: ${low.toFixed(3)} to ${high.toFixed(3)}, ${v.rounds} rounds)`;
  const verdict = v.verdict === 'no difference' ? 'no difference that was measured' : `the second is ${v.verdict}`;
  return [
    `first            ${timingText(v.first)}`,
    `second           ${timingText(v.second)}`,
    `second / first   ${range}: ${verdict}`,
  ].join('\n');
}

export function profileText(profile: Profile): string {
  const { startUpMs, memory } = profile;
  const head = [
    ['runtime', `${profile.runtime}, ${profile.provider}, ${threadsText(profile.threads)}`],
    ...(profile.fellBack === null
      ? []
      : [['fell back', `from ${profile.fellBack.asked} to ${profile.provider}: ${profile.fellBack.reason}`]]),
    ['latency', timingText(profile.latencyMs)],
    ['start-up', `open ${milliseconds(startUpMs.open)}, first run ${milliseconds(startUpMs.firstRun)}`],
    ['resident memory', profile.residentBytes === null ? 'unknown' : `${bytes(profile.residentBytes)} more`],
    [
      'peak activations',
      `${bytes(memory.fileOrder)} in the file's order, ${bytes(memory.runtimeOrder)} in the runtime's, ` +
        `${bytes(memory.bestOrder)} in the best found`,
    ],
  ];
  const whole = head.map(([k = '', v = '']) => `${k.padEnd(17)}${v}`).join('\n');
  const versus = profile.versus === undefined ? '' : `\n\n${versusText(profile.versus)}`;
  return `${whole}\n\n${layersText(profile)}${versus}`;
}
