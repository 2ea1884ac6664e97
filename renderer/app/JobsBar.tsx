/** Owns the line under the canvas that opens the jobs and says what runs. */
import { ChevronDown, ChevronUp } from 'lucide-react';
import { useConnected, useJobs } from '../host/use-host.tsx';
import { setView, useView } from '../state/view.ts';
import { useText } from '../ui/language.ts';
import { words } from './words.ts';

export function JobsBar() {
  const say = useText();
  const open = useView((s) => s.jobsOpen);
  const connected = useConnected();
  const running = useJobs().filter((j) => j.state === 'running' || j.state === 'waiting');
  const share = running[0]?.progress.share;
  return (
    <button type="button" className="jobs-bar" aria-expanded={open} onClick={() => setView({ jobsOpen: !open })}>
      {open ? <ChevronDown /> : <ChevronUp />}
      <span className="section-title">{say(words.jobs)}</span>
      <span className="muted small">
        {running.length === 0 ? say(words.idle) : say(words.running, { n: running.length })}
      </span>
      {share !== undefined && <progress value={share} max={1} />}
      <span className="spring" />
      {!connected && <span className="badge warn">{say(words.lost)}</span>}
    </button>
  );
}
