/** Owns light and dark: the system's choice unless the person made one. */
import { create } from 'zustand';

export type ThemeChoice = 'system' | 'light' | 'dark';
export type Theme = 'light' | 'dark';
const key = 'bantam.theme';
const system = matchMedia('(prefers-color-scheme: dark)');

const choiceOf = (value: string | null): ThemeChoice => (value === 'light' || value === 'dark' ? value : 'system');
const resolve = (choice: ThemeChoice): Theme => (choice === 'system' ? (system.matches ? 'dark' : 'light') : choice);

interface ThemeState {
  readonly choice: ThemeChoice;
  readonly theme: Theme;
  readonly setTheme: (choice: ThemeChoice) => void;
}

export const useTheme = create<ThemeState>((set) => {
  const choice = choiceOf(new URLSearchParams(location.search).get('theme') ?? localStorage.getItem(key));
  const show = (next: ThemeChoice): Theme => {
    const theme = resolve(next);
    document.documentElement.dataset.theme = theme;
    return theme;
  };
  system.addEventListener('change', () => set((s) => (s.choice === 'system' ? { ...s, theme: show('system') } : s)));
  return {
    choice,
    theme: show(choice),
    setTheme: (next) => {
      localStorage.setItem(key, next);
      set({ choice: next, theme: show(next) });
    },
  };
});
