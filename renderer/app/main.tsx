/** Owns the start of the page: fonts, host, first paint. */
import '@fontsource-variable/inter';
import '@fontsource-variable/noto-sans-kr';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { OutputPicker } from '../features/jobs/OutputPicker.tsx';
import { TeacherPicker } from '../features/jobs/TeacherPicker.tsx';
import { connectHost } from '../host/connect.ts';
import { HostProvider } from '../host/use-host.tsx';
import '../ui/tokens.css';
import '../ui/controls.css';
import { NamesFields } from '../ui/FieldForm.tsx';
import { useLanguage } from '../ui/language.ts';
import './app.css';
import { App } from './App.tsx';
import { ErrorBoundary } from './ErrorBoundary.tsx';

/** What fields that name something are chosen with. */
const namesFields = { models: TeacherPicker, output: OutputPicker };

document.documentElement.lang = useLanguage.getState().language;
const root = document.getElementById('root');
if (root !== null)
  createRoot(root).render(
    <StrictMode>
      <ErrorBoundary>
        <HostProvider host={connectHost()}>
          <NamesFields value={namesFields}>
            <App />
          </NamesFields>
        </HostProvider>
      </ErrorBoundary>
    </StrictMode>,
  );
if (import.meta.env.DEV) {
  const fake = new URLSearchParams(location.search).get('fake');
  if (fake !== null) void import('./testing/fake.ts').then((f) => f.openFake(Number(fake)));
}
