/** Owns Text: what a person reads, in every language the studio speaks. */

export type Language = 'en' | 'ko';

/** A sentence or a label in both languages. */
export type Text = Readonly<Record<Language, string>>;

/** What may be said: a Text, or a string that reads the same in every language (a name, a formula, a library's own words). */
export type Said = string | Text;

/** What is said, in one language. */
export const inLanguage = (said: Said, language: Language): string =>
  typeof said === 'string' ? said : said[language];

/**
 * A sentence put together from others, in both languages: `both((say) => `${node.op}: ${say(reason)}`)`. What stands around them is
 * the same in both.
 */
export const both = (write: (say: (said: Said) => string) => string): Text => ({
  en: write((said) => inLanguage(said, 'en')),
  ko: write((said) => inLanguage(said, 'ko')),
});

/** A sentence around a part that is said in both languages itself: `textAround(why, (w) => `no file: ${w}`, (w) => ...)`. */
export const textAround = (part: Said, en: (part: string) => string, ko: (part: string) => string): Text => ({
  en: en(inLanguage(part, 'en')),
  ko: ko(inLanguage(part, 'ko')),
});

/** Shorthand for declarations: `text('Prune channels', '채널 가지치기')`. */
export const text = (en: string, ko: string): Text => ({ en, ko });
