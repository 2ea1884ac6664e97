/** Owns the composition of the screen: which panel stands where, and the keys that work everywhere. */
import { useEffect } from 'react';
import { Canvas } from '../canvas/Canvas.tsx';
import { Compress } from '../features/compress/Compress.tsx';
import { Explain } from '../features/compress/Explain.tsx';
import { FiguresStrip } from '../features/cost/FiguresStrip.tsx';
import { ExportDialog } from '../features/export/ExportDialog.tsx';
import { Inspector } from '../features/inspect/Inspector.tsx';
import { JobsDrawer } from '../features/jobs/JobsDrawer.tsx';
import { DropTarget } from '../features/open/DropTarget.tsx';
import { OpeningNote } from '../features/open/OpeningNote.tsx';
import { openHeld } from '../features/open/open-model.ts';
import { useFirstModel } from '../features/open/use-first-model.ts';
import { Welcome } from '../features/open/Welcome.tsx';
import { commands, pressed } from '../features/palette/commands.ts';
import { Palette } from '../features/palette/Palette.tsx';
import { RecipePanel } from '../features/recipe/RecipePanel.tsx';
import { TryDialog } from '../features/try/TryDialog.tsx';
import { useHost } from '../host/use-host.tsx';
import { useDocument } from '../state/store.ts';
import { setView, useView } from '../state/view.ts';
import { useText } from '../ui/language.ts';
import { Toasts } from '../ui/Toasts.tsx';
import { ConnectionBanner } from './ConnectionBanner.tsx';
import { ErrorBoundary } from './ErrorBoundary.tsx';
import { JobsBar } from './JobsBar.tsx';
import { Resizer } from './Resizer.tsx';
import { TopBar } from './TopBar.tsx';
import { useFeedMeasures } from './use-layer-measures.ts';
import { useSummaries } from './use-summaries.ts';
import { words } from './words.ts';

/** Fields keep their own undo and search keys; the palette's are ours everywhere. */
const typing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable ||
    target instanceof HTMLTextAreaElement ||
    (target instanceof HTMLInputElement && !['range', 'checkbox'].includes(target.type)));

function useKeys(): void {
  useEffect(() => {
    const press = (e: KeyboardEvent): void => {
      const keys = pressed(e);
      if (keys === 'Mod+K' || keys === 'Mod+F') {
        e.preventDefault();
        setView({ paletteOpen: true });
        return;
      }
      if (typing(e.target)) return;
      const command = commands.find((c) => c.keys === keys);
      if (command === undefined) return;
      e.preventDefault();
      command.run();
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, []);
}

export function App() {
  const say = useText();
  const host = useHost();
  const open = useDocument((d) => d.open !== null);
  const { leftWidth, rightWidth, jobsHeight, jobsOpen, paletteOpen, dialog } = useView();
  const openResult = (modelId: string, name: string): void => void openHeld(host, modelId, name);
  useKeys();
  useSummaries();
  useFeedMeasures();
  useFirstModel();
  const rows = `auto auto minmax(0, 1fr) ${jobsOpen ? `min(${jobsHeight}px, 42vh)` : '34px'}`;
  return (
    <DropTarget>
      <div
        className="shell"
        style={
          { gridTemplateRows: rows, '--left': `${leftWidth}px`, '--right': `${rightWidth}px` } as React.CSSProperties
        }
      >
        <TopBar />
        <ConnectionBanner />
        <ErrorBoundary>
          <FiguresStrip />
        </ErrorBoundary>
        <div className="middle">
          <aside className="panel left" aria-label={say(words.recipe)}>
            <ErrorBoundary>
              <RecipePanel />
            </ErrorBoundary>
          </aside>
          <Resizer
            label={say(words.resizeRecipe)}
            axis="x"
            value={leftWidth}
            min={200}
            max={480}
            onChange={(v) => setView({ leftWidth: v })}
          />
          <main className="stage">
            <ErrorBoundary>{open ? <Canvas /> : <Welcome />}</ErrorBoundary>
            {open && <OpeningNote />}
          </main>
          <Resizer
            label={say(words.resizeInspector)}
            axis="x"
            reverse
            value={rightWidth}
            min={280}
            max={640}
            onChange={(v) => setView({ rightWidth: v })}
          />
          <aside className="panel right" aria-label={say(words.inspector)}>
            <ErrorBoundary>
              <Inspector compress={<Compress />} explain={<Explain />} />
            </ErrorBoundary>
          </aside>
        </div>
        <footer className="jobs">
          {jobsOpen && (
            <Resizer
              label={say(words.resizeJobs)}
              axis="y"
              reverse
              value={jobsHeight}
              min={120}
              max={560}
              onChange={(v) => setView({ jobsHeight: v })}
            />
          )}
          <JobsBar />
          {jobsOpen && (
            <ErrorBoundary>
              <JobsDrawer onOpen={openResult} />
            </ErrorBoundary>
          )}
        </footer>
      </div>
      {paletteOpen && <Palette />}
      {dialog === 'export' && <ExportDialog onClose={() => setView({ dialog: null })} onOpen={openResult} />}
      {dialog === 'try' && <TryDialog onClose={() => setView({ dialog: null })} />}
      <Toasts />
    </DropTarget>
  );
}
