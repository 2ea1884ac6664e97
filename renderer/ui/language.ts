/** Owns the language of the screen: which one, and how a Text becomes a string in it. */
import { create } from 'zustand';
import { type Complaint, faultIn } from '#shared/base/fault.ts';
import { inLanguage, type Language, type Said, type Text } from '#shared/base/text.ts';

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

/** What others say (a layer's reason, a fault's sentence), in the screen's language. */
export function useSaid(): (said: Said) => string {
  const language = useLanguage((s) => s.language);
  return (said) => inLanguage(said, language);
}

/** A fault's message, place and hint in the screen's language. */
export function useFault(): (fault: Complaint) => Omit<Complaint, 'korean'> {
  const language = useLanguage((s) => s.language);
  return (fault) => faultIn(fault, language);
}
