/** Owns the menu bar. What the page does (open, undo of recipe steps) stays in the page; these are the system's own roles. */
import type { MenuItemConstructorOptions } from 'electron';
import type { Language } from '#shared/base/text.ts';
import { words } from './words.ts';

export function menuTemplate(language: Language, mac: boolean, developer: boolean): MenuItemConstructorOptions[] {
  const say = (key: keyof typeof words): string => words[key][language];
  const view: MenuItemConstructorOptions[] = [
    { role: 'resetZoom' },
    { role: 'zoomIn' },
    { role: 'zoomOut' },
    { type: 'separator' },
    { role: 'togglefullscreen' },
  ];
  if (developer) view.unshift({ role: 'reload' }, { role: 'toggleDevTools' }, { type: 'separator' });
  return [
    ...(mac ? [{ role: 'appMenu' } as const] : []),
    { label: say('file'), submenu: [mac ? { role: 'close' } : { role: 'quit' }] },
    {
      label: say('edit'),
      // Undo and redo belong to the recipe: the page listens for the keys itself.
      submenu: [{ role: 'cut' }, { role: 'copy' }, { role: 'paste' }, { role: 'selectAll' }],
    },
    { label: say('view'), submenu: view },
    { label: say('window'), role: 'windowMenu' },
  ];
}
