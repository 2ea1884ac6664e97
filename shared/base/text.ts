/** Owns Text: what a person reads, in every language the studio speaks. */

export type Language = 'en' | 'ko';

/** A sentence or a label in both languages. */
export type Text = Readonly<Record<Language, string>>;

/** Shorthand for declarations: `text('Prune channels', '채널 가지치기')`. */
export const text = (en: string, ko: string): Text => ({ en, ko });
