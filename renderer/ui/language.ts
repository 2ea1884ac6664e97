/** Owns the language of the screen: which one, and how a Text becomes a string in it. */
import { create } from 'zustand';
import type { Language, Text } from '#shared/base/text.ts';

const key = 'bantam.language';

const initial = (): Language => {
  const asked = new URLSearchParams(location.search).get('lang') ?? localStorage.getItem(key) ?? navigator.language;
  return asked.startsWith('ko') ? 'ko' : 'en';
};

export const useLanguage = create<{ readonly language: Language; readonly setLanguage: (to: Language) => void }>(
  (set) => ({
    language: initial(),
    setLanguage: (language) => {
      localStorage.setItem(key, language);
      document.documentElement.lang = language;
      set({ language });
    },
  }),
);

/** `{name}` in a text is filled from `values`. */
export const fill = (template: string, values: Readonly<Record<string, string | number>>): string =>
  template.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));

export type Say = (text: Text, values?: Readonly<Record<string, string | number>>) => string;

/** The say function of the screen's language: `const say = useText(); say(words.open)`. */
export function useText(): Say {
  const language = useLanguage((s) => s.language);
  return (text, values) => (values === undefined ? text[language] : fill(text[language], values));
}
