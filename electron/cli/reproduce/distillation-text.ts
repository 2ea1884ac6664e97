/** Owns how the distillation result is told in words and tables. */
import { count, table } from '../table.ts';
import type { DistillationResult, Kind } from './distillation.ts';

const spread = (k: Kind): string => {
  const errors = k.runs.map((r) => r.testErrors);
  return k.runs.length < 2 ? '' : `${Math.min(...errors)} – ${Math.max(...errors)}`;
};

export function distillationText(r: DistillationResult): string {
  const parts = [
    `teacher: ${r.teacher.title}, ${count(r.teacher.parameters)} parameters, ${r.teacher.testErrors} errors on ${r.testSamples} test digits`,
  ];
  for (const s of r.students) {
    const rows = [s.alone, ...s.taught].map((k) => [
      k.temperature === null
        ? 'alone'
        : `taught, T = ${k.temperature}${k.temperature === s.chosenTemperature ? ' (chosen)' : ''}`,
      k.meanValidationErrors.toFixed(1),
      k.meanTestErrors.toFixed(1),
      spread(k),
    ]);
    parts.push(
      `${s.id}: ${count(s.parameters)} parameters, ${r.settings.seeds} seed${r.settings.seeds === 1 ? '' : 's'}\n${table(['', 'validation errors', 'test errors', 'least – most'], rows)}`,
    );
  }
  const rows = r.omitted.runs.map((o) => [
    o.taught ? 'taught' : 'alone',
    String(o.ofDigit),
    String(o.errors),
    String(o.ofDigitWithBias),
    String(o.errorsWithBias),
  ]);
  const { digit, samples, student } = r.omitted;
  parts.push(
    `${student} that never saw a ${digit} (${samples} in the test split); the bias on its score is chosen on validation\n${table(
      ['', `wrong ${digit}s`, 'errors', `wrong ${digit}s with bias`, 'errors with bias'],
      rows,
    )}`,
    'published (10,000 test digits): teacher 67, alone 146, taught at T = 20 74; without 3s: 206 errors, 133 on 1,010 3s; with bias 109 and 14',
    `data: ${r.data}`,
  );
  return parts.join('\n\n');
}
