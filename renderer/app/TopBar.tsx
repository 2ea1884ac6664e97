/** Owns the top bar: name, model, undo and redo, palette, theme, language, export. */
import { Moon, Redo2, Search, Sun, Undo2 } from 'lucide-react';
import { OpenMenu } from '../features/open/OpenMenu.tsx';
import { shownKeys } from '../features/palette/commands.ts';
import { dispatch, useDocument } from '../state/store.ts';
import { setView } from '../state/view.ts';
import { Button } from '../ui/Button.tsx';
import { useLanguage, useText } from '../ui/language.ts';
import { useTheme } from '../ui/theme.ts';
import { words } from './words.ts';

export function TopBar() {
  const say = useText();
  const open = useDocument((d) => d.open !== null);
  const canUndo = useDocument((d) => d.past.length > 0);
  const canRedo = useDocument((d) => d.future.length > 0);
  const { theme, setTheme } = useTheme();
  const { language, setLanguage } = useLanguage();
  return (
    <header className="topbar">
      <h1 className="brand">
        <svg viewBox="0 0 32 32" aria-hidden="true">
          <path d="M4 27 28 27 28 5Z" fill="var(--accent)" />
        </svg>
        Bantam
      </h1>
      <OpenMenu />
      <Button
        look="quiet"
        icon={<Undo2 />}
        label={say(words.undo)}
        disabled={!canUndo}
        onClick={() => dispatch({ type: 'undone' })}
      />
      <Button
        look="quiet"
        icon={<Redo2 />}
        label={say(words.redo)}
        disabled={!canRedo}
        onClick={() => dispatch({ type: 'redone' })}
      />
      <span className="spring" />
      <button type="button" className="search-box" onClick={() => setView({ paletteOpen: true })}>
        <Search />
        <span>{say(words.search)}</span>
        <kbd className="kbd">{shownKeys('Mod+K')}</kbd>
      </button>
      <span className="spring" />
      <Button
        look="quiet"
        lang={language === 'en' ? 'ko' : 'en'}
        onClick={() => setLanguage(language === 'en' ? 'ko' : 'en')}
      >
        {say(words.language)}
      </Button>
      <Button
        look="quiet"
        icon={theme === 'dark' ? <Sun /> : <Moon />}
        label={say(words.theme)}
        onClick={() => setTheme(theme === 'dark' ? 'light' : 'dark')}
      />
      <Button disabled={!open} onClick={() => setView({ dialog: 'try' })}>
        {say(words.tryIt)}
      </Button>
      <Button look="primary" disabled={!open} onClick={() => setView({ dialog: 'export' })}>
        {say(words.export)}
      </Button>
    </header>
  );
}
