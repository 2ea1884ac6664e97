/** Owns how the distillation result is told in sentences and tables. */
import { count } from '../table.ts';
import type { DistillationResult, Kind, Omitted } from './distillation.ts';
import { type Page, spread } from './page.ts';

const kindName = (k: Kind, chosen: number | null): string =>
  k.temperature === null ? 'alone' : `taught, T = ${k.temperature}${k.temperature === chosen ? ' (chosen)' : ''}`;

function studentSection(s: DistillationResult['students'][number]): Page['sections'][number] {
  const kinds = [s.alone, ...s.taught];
  const chosen = s.taught.find((k) => k.temperature === s.chosenTemperature) ?? s.alone;
  const fewer = s.alone.runs.map((r, i) => r.testErrors - (chosen.runs[i]?.testErrors ?? Number.NaN));
  return {
    title: `${s.id}: ${count(s.parameters)} parameters`,
    parts: [
      {
        head: ['', 'validation errors', 'test errors', ...s.alone.runs.map((r) => `seed ${r.seed}`)],
        rows: kinds.map((k) => [
          kindName(k, s.chosenTemperature),
          spread(
            k.runs.map((r) => r.validationErrors),
            1,
          ),
          spread(
            k.runs.map((r) => r.testErrors),
            1,
          ),
          ...k.runs.map((r) => String(r.testErrors)),
        ]),
      },
      `Taught at T = ${s.chosenTemperature}, which has the fewest validation errors, it is wrong ${spread(fewer, 1)} times fewer on the test digits than alone; fewer in ${fewer.filter((n) => n > 0).length} of ${fewer.length} seeds.`,
    ],
  };
}

function omittedSection({ digit, samples, student, runs }: DistillationResult['omitted']): Page['sections'][number] {
  const row = (o: Omitted): readonly string[] => [
    o.taught ? 'taught' : 'alone',
    String(o.seed),
    String(o.ofDigit),
    String(o.errors),
    String(o.ofDigitWithBias),
    String(o.errorsWithBias),
  ];
  return {
    title: `A digit that it never saw`,
    parts: [
      `${student} without any ${digit} in its training digits; ${samples} of the test digits are a ${digit}. A bias on its score for ${digit}, chosen on validation, mends what the transfer set left out.`,
      {
        head: ['', 'seed', `wrong ${digit}s`, 'errors', `wrong ${digit}s with bias`, 'errors with bias'],
        rows: runs.map(row),
      },
    ],
  };
}

export function distillationPage(r: DistillationResult): Page {
  return {
    title: 'Distillation',
    about: [
      'Hinton, Vinyals, Dean 2015, section 3: students alone, on the labels, and taught by a larger net at several temperatures.',
      `Teacher: ${r.teacher.title}, the sample that validated best, ${count(r.teacher.parameters)} parameters, ${r.teacher.testErrors} errors on ${count(r.testSamples)} test digits. ${r.settings.epochs} epochs each, not augmented; the soft answers weigh ${r.settings.softShare}, the labels the rest. Errors are counts of 1,000 validation and ${count(r.testSamples)} test digits, mean and standard deviation over seeds; the temperature is chosen on validation.`,
      'The paper, of 10,000 test digits: teacher 67 errors, a student of 2 x 800 alone 146, taught at T = 20 74; without 3s 206 errors, 133 of them on 1,010 3s, with the bias 109 and 14.',
    ],
    sections: [...r.students.map(studentSection), omittedSection(r.omitted)],
  };
}
