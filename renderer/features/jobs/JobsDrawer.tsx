/** Owns the jobs drawer. */
import { text } from '#shared/base/text.ts';
import { useJobs } from '../../host/use-host.tsx';
import { useText } from '../../ui/language.ts';

const words = { empty: text('No jobs yet.', '아직 작업이 없습니다.') } as const;

export function JobsDrawer() {
  const say = useText();
  const jobs = useJobs();
  return (
    <div className="panel-body">
      {jobs.length === 0 && <p className="muted">{say(words.empty)}</p>}
      <ul>
        {jobs.map((job) => (
          <li key={job.id} className="field-row">
            <span>{job.title}</span>
            <span className="muted">{job.state}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
