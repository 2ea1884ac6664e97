/** Owns one model's answer: classes with their shares, and how long it took in each runtime. */
import type { ReactNode } from 'react';
import { type Provider, pageThreads } from '../../runtime/page-runtime.ts';
import { milliseconds, percent, shapeText, shortNumber } from '../../ui/format.ts';
import { useFault, useText } from '../../ui/language.ts';
import { largestDifference, sharesOf } from './scores.ts';
import type { Answer } from './use-answers.ts';
import { words } from './words.ts';

export interface AnswersProps {
  readonly title: string;
  readonly answer: Answer;
  readonly classes: readonly string[];
  readonly provider: Provider;
  /** Said instead, where there is no model to ask. */
  readonly instead?: ReactNode;
}

export function Answers({ title, answer, classes, provider, instead }: AnswersProps) {
  const say = useText();
  const inWords = useFault();
  return (
    <section className="try-answer" aria-label={title}>
      <h3>{title}</h3>
      {instead ?? <Body answer={answer} classes={classes} provider={provider} />}
      {answer.fault !== undefined && (
        <p className="danger" role="alert">
          {inWords(answer.fault).message}
        </p>
      )}
      {instead === undefined && answer.opening && answer.fault === undefined && (
        <p className="muted">{say(words.opening)}</p>
      )}
    </section>
  );
}

function Body({ answer, classes, provider }: Pick<AnswersProps, 'answer' | 'classes' | 'provider'>) {
  const say = useText();
  const { outputs } = answer;
  if (outputs === undefined) return answer.opening ? null : <p className="muted">{say(words.waiting)}</p>;
  const shares = sharesOf(outputs);
  const shapes = Object.entries(outputs).map(([name, t]) => `${name} ${shapeText(t.dims)}`);
  return (
    <>
      {shares === undefined ? (
        <p>{say(words.noScores, { shape: shapes.join(', ') })}</p>
      ) : (
        <ol className="try-classes">
          {shares.top.map(({ index, share }, rank) => (
            <li key={index} className={rank === 0 ? 'first' : ''}>
              <span className="try-class">{classes[index] ?? index}</span>
              <span className="try-bar" aria-hidden="true">
                <span style={{ width: `${share * 100}%` }} />
              </span>
              <span className="num">{percent(share)}</span>
            </li>
          ))}
        </ol>
      )}
      {shares?.softmaxed === true && <p className="muted small">{say(words.softmaxed)}</p>}
      <Times answer={answer} provider={provider} />
    </>
  );
}

function Times({ answer, provider }: Pick<AnswersProps, 'answer' | 'provider'>) {
  const say = useText();
  const threads = (n: number): string => (n === 1 ? say(words.oneThread) : say(words.threads, { n }));
  const gap =
    answer.outputs === undefined || answer.native === undefined
      ? null
      : largestDifference(answer.outputs, answer.native.outputs);
  const kind = provider === 'webgpu' ? 'WebGPU' : `WebAssembly, ${threads(pageThreads())}`;
  return (
    <>
      <dl className="try-times">
        <dt>
          {say(words.page)} <span className="muted">{kind}</span>
        </dt>
        <dd className="num">{answer.pageMs === undefined ? say(words.timing) : milliseconds(answer.pageMs.median)}</dd>
        <dt>
          {say(words.native)}{' '}
          {answer.native !== undefined && <span className="muted">{threads(answer.native.threads)}</span>}
        </dt>
        <dd className="num">
          {answer.native === undefined ? say(words.timing) : milliseconds(answer.native.latencyMs.median)}
        </dd>
      </dl>
      {gap !== null && (
        <p className="muted small">{gap === 0 ? say(words.equal) : say(words.agree, { error: shortNumber(gap) })}</p>
      )}
    </>
  );
}
