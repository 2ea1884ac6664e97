/** Owns the export dialog: name, what will be written, and the check of what was. */
import { useRef, useState } from 'react';
import { type FaultData, toFault } from '#shared/base/fault.ts';
import { useHost, useJobs } from '../../host/use-host.tsx';
import { recipeOf } from '../../state/document.ts';
import { activeSteps, resultOf } from '../../state/results.ts';
import { runRecipeNow, useRunPlan } from '../../state/run-plan.ts';
import { useDocument } from '../../state/store.ts';
import { Button } from '../../ui/Button.tsx';
import { Dialog } from '../../ui/Dialog.tsx';
import { percent } from '../../ui/format.ts';
import { useFault, useLanguage, useText } from '../../ui/language.ts';
import { Segmented } from '../../ui/Segmented.tsx';
import { Switch } from '../../ui/Switch.tsx';
import { type Archived, type Exported, ended, writeArchive, writeOut } from './export-run.ts';
import { ArchiveVerdict, Verdict } from './Verdict.tsx';
import { words } from './words.ts';
import './export.css';

type Course =
  | { readonly at: 'asking' }
  | { readonly at: 'running'; readonly job: string }
  | { readonly at: 'writing' }
  | { readonly at: 'done'; readonly exported: Exported; readonly modelId: string }
  | { readonly at: 'archived'; readonly archived: Archived }
  | { readonly at: 'fault'; readonly fault: FaultData };

export interface ExportDialogProps {
  readonly onClose: () => void;
  /** Opens a model that the host holds. */
  readonly onOpen: (modelId: string, name: string) => void;
}

export function ExportDialog({ onClose, onOpen }: ExportDialogProps) {
  const say = useText();
  const inWords = useFault();
  const host = useHost();
  const language = useLanguage((s) => s.language);
  const open = useDocument((d) => d.open);
  const edit = useDocument((d) => d.edit);
  const jobs = useJobs();
  const [wish] = useState(() => useRunPlan.getState().exported);
  const recipe = recipeOf(edit);
  const plain = activeSteps(recipe) === 0;
  const base = open?.name.replace(/\.onnx$/i, '') ?? 'model';
  const [name, setName] = useState(`${wish?.name ?? (plain ? base : `${base}-light`)}.onnx`);
  const [form, setForm] = useState<'onnx' | 'archive'>('onnx');
  const [along, setAlong] = useState(!plain);
  const left = useRef(false);
  const [course, setCourse] = useState<Course>({ at: 'asking' });
  if (open === null) return null;
  const made = resultOf(jobs, open.modelId, recipe);
  const ready = wish?.modelId ?? (plain ? open.modelId : made?.result?.modelId);
  const job = course.at === 'running' ? jobs.find((j) => j.id === course.job) : undefined;
  const busy = course.at === 'running' || course.at === 'writing';

  const over = course.at === 'done' || course.at === 'archived';
  const close = (): void => {
    left.current = true;
    useRunPlan.setState({ exported: null });
    onClose();
  };
  const go = async (): Promise<void> => {
    try {
      let modelId = ready;
      if (modelId === undefined) {
        const started = await runRecipeNow(host, language);
        if (started === null) return;
        setCourse({ at: 'running', job: started.id });
        const done = await ended(host, started.id);
        if (left.current) return; // closed meanwhile: the job stays, nothing is handed over
        modelId = done.result?.modelId;
      }
      if (modelId === undefined) {
        setCourse({ at: 'asking' });
        return;
      }
      setCourse({ at: 'writing' });
      if (form === 'archive') {
        setCourse({ at: 'archived', archived: await writeArchive(host, modelId, name) });
        return;
      }
      const exported = await writeOut(host, modelId, name, along && wish === null ? recipe : null);
      setCourse({ at: 'done', exported, modelId });
    } catch (thrown) {
      setCourse({ at: 'fault', fault: toFault(thrown).toData() });
    }
  };
  const what = wish !== null ? words.held : plain ? words.asIs : ready === undefined ? words.mustRun : words.ready;
  return (
    <Dialog title={say(words.title)} onClose={close}>
      <form
        className="export"
        onSubmit={(e) => {
          e.preventDefault();
          if (!busy) void go();
        }}
      >
        <label className="export-name">
          <span className="muted">{say(words.name)}</span>
          <input
            className="text-input"
            value={name}
            disabled={busy}
            required
            maxLength={200}
            onChange={(e) => setName(e.currentTarget.value)}
          />
        </label>
        {!over && (
          <>
            <div className="field-row">
              <span className="muted">{say(words.form)}</span>
              <Segmented
                label={say(words.form)}
                value={form}
                options={(['onnx', 'archive'] as const).map((v) => ({
                  value: v,
                  label: say(words[v]),
                  disabled: busy,
                }))}
                onChange={setForm}
              />
            </div>
            <p>{say(what)}</p>
            <p className="muted small">{say(form === 'archive' ? words.archiveWhat : words.what)}</p>
          </>
        )}
        {wish === null && !plain && !over && form === 'onnx' && (
          <div className="field-row">
            <span>{say(words.alsoRecipe)}</span>
            <Switch label={say(words.alsoRecipe)} checked={along} disabled={busy} onChange={setAlong} />
          </div>
        )}
        {job !== undefined && (
          <div className="export-progress" role="status">
            <progress value={job.progress.share} max={1} />
            <span className="muted small">{percent(job.progress.share, 0)}</span>
          </div>
        )}
        {course.at === 'writing' && (
          <div className="export-progress" role="status">
            <progress />
            <span className="muted small">{say(words.writing)}</span>
          </div>
        )}
        {course.at === 'fault' && (
          <div className="job-fault" role="alert">
            <strong>{say(words.failed)}</strong>
            <span>{inWords(course.fault).message}</span>
            {course.fault.hint !== undefined && <span className="muted">{inWords(course.fault).hint}</span>}
          </div>
        )}
        {course.at === 'archived' && <ArchiveVerdict archived={course.archived} />}
        {course.at === 'done' && <Verdict exported={course.exported} name={name} />}
        <div className="export-buttons">
          <Button onClick={close}>{say(over ? words.close : words.cancel)}</Button>
          {course.at === 'done' ? (
            <Button
              look="primary"
              onClick={() => {
                close();
                onOpen(course.modelId, name);
              }}
            >
              {say(words.openExported)}
            </Button>
          ) : course.at === 'archived' ? null : (
            <Button look="primary" disabled={busy || name.trim() === ''} onClick={() => void go()}>
              {say(ready === undefined ? words.runAndExport : words.export)}
            </Button>
          )}
        </div>
      </form>
    </Dialog>
  );
}
