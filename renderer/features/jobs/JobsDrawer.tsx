/** Owns the jobs drawer: the form that starts a run, the list of jobs, and the one that is looked at. */
import { useJobs } from '../../host/use-host.tsx';
import { useRunPlan } from '../../state/run-plan.ts';
import { useText } from '../../ui/language.ts';
import { JobDetail } from './JobDetail.tsx';
import { JobRow } from './JobRow.tsx';
import { RunForm } from './RunForm.tsx';
import { words } from './words.ts';
import './jobs.css';

export interface JobsDrawerProps {
  /** Opens a model that the host holds. */
  readonly onOpen: (modelId: string, name: string) => void;
}

export function JobsDrawer({ onOpen }: JobsDrawerProps) {
  const say = useText();
  const jobs = useJobs();
  const asked = useRunPlan((p) => p.shownJob);
  const shown = jobs.find((j) => j.id === asked) ?? jobs[0];
  return (
    <div className="jobs-drawer">
      <RunForm />
      <section className="job-list" aria-label={say(words.jobs)}>
        {jobs.length === 0 && <p className="muted small job-empty">{say(words.empty)}</p>}
        <ul>
          {jobs.map((job) => (
            <JobRow
              key={job.id}
              job={job}
              shown={job === shown}
              onShow={() => useRunPlan.setState({ shownJob: job.id })}
            />
          ))}
        </ul>
      </section>
      {shown !== undefined && <JobDetail key={shown.id} job={shown} onOpen={onOpen} />}
    </div>
  );
}
