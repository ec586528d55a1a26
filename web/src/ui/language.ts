/** A text of the catalog, as it is written there: once per language. */
export interface LocalText {
  en: string;
  ru: string;
}

export type Language = keyof LocalText;

/** The language of the page. Every text goes through `localize` or a strings file, so that it can follow a switch. */
export const language: Language = "en";

export function localize(text: LocalText): string;
export function localize(text: LocalText | null | undefined): string | null;
export function localize(text: LocalText | null | undefined): string | null {
  return text ? text[language] : null;
}
