import { useSyncExternalStore } from "react";

/** A text of the catalog, as it is written there: once per language. */
export interface LocalText {
  en: string;
  ru: string;
}

export type Language = keyof LocalText;

/** Every language of the page, each under the name its own speakers give it. */
export const languages: readonly { code: Language; name: string }[] = [
  { code: "en", name: "English" },
  { code: "ru", name: "Русский" },
];

const storageKey = "safelight.language";
const listeners = new Set<() => void>();
let current: Language = readLanguage();

/** The language in force. Texts read it at each access, so they must not be taken out into constants of a module. */
export function currentLanguage(): Language {
  return current;
}

/** The same for a component that has to know when it changes: the root of the page, which then draws everything anew. */
export function useLanguage(): Language {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
}

type Texts = Readonly<Record<string, object>>;
type TextLoader = (language: Language, part: string) => Promise<Texts>;

/** Texts that were fetched, by language and by the file they were taken from. */
const fetched: Record<Language, Record<string, object>> = { en: {}, ru: {} };
/** Parts of the texts whose code is there. */
const parts = new Set<string>();
const underWay = new Map<string, Promise<void>>();
let loadTexts: TextLoader = async () => ({});

/** Fetches the texts of the language in force, before anything is drawn. Where they do not come, the page is English. */
export async function prepareLanguage(loader: TextLoader): Promise<void> {
  loadTexts = loader;
  try {
    await prepareTexts();
  } catch {
    current = "en";
  }
  applyLanguage();
}

/** Fetches the texts of all code that has come since. Rejects when they do not come; asking again tries again. */
export async function prepareTexts(language: Language = current): Promise<void> {
  await Promise.all([...parts].map((part) => fetchPart(language, part)));
}

function fetchPart(language: Language, part: string): Promise<void> {
  const key = `${language} ${part}`;
  let fetching = underWay.get(key);
  if (fetching === undefined) {
    fetching = loadTexts(language, part).then((texts) => {
      Object.assign(fetched[language], texts);
    });
    fetching.catch(() => underWay.delete(key));
    underWay.set(key, fetching);
  }
  return fetching;
}

/** Chooses a language for good and says so on the document. Rejects, changing nothing, when its texts do not come. */
export async function changeLanguage(next: Language): Promise<void> {
  await prepareTexts(next);
  setLanguage(next);
}

/** The same at once, with the texts that are there. */
export function setLanguage(next: Language): void {
  try {
    localStorage.setItem(storageKey, next);
  } catch {
    // Without storage the choice lasts as long as the page.
  }
  current = next;
  applyLanguage();
  for (const listener of listeners) listener();
}

/** Puts the language on the document, for hyphenation, fonts and screen readers. */
export function applyLanguage(): void {
  document.documentElement.lang = current;
}

/** Every text in both languages, for the test that compares them. The build drops it. */
export const textsUnderTest: { en: object; ru: object | null }[] = [];

/**
 * Texts of one feature in every language, as one object that answers in the language in force at each access. The build
 * takes the Russian ones out (web/texts.config.ts) and leaves the name, and the part, under which they are fetched.
 */
export function inLanguage<Texts extends object>(
  texts: { readonly en: Texts; readonly ru: Texts | null },
  name = "",
  part = "",
): Texts {
  if (import.meta.env?.MODE === "test") textsUnderTest.push(texts);
  if (part !== "") parts.add(part);
  const inForce = () => (current === "en" ? texts.en : (texts.ru ?? fetched[current][name] ?? texts.en));
  return new Proxy(texts.en, { get: (_target, key) => Reflect.get(inForce(), key) });
}

export function localize(text: LocalText): string;
export function localize(text: LocalText | null | undefined): string | null;
export function localize(text: LocalText | null | undefined): string | null {
  return text ? text[current] : null;
}

/** The forms of a counted word. English has one and other; Russian one (21 файл), few (22 файла) and many (25 файлов). */
export interface PluralForms {
  one: string;
  few?: string;
  many?: string;
  other: string;
}

/** The form that goes with a count; "#" in it becomes the count, written as the language writes numbers. */
export function plural(count: number, forms: PluralForms): string {
  const rule = new Intl.PluralRules(current).select(count);
  const form = (rule === "one" || rule === "few" || rule === "many" ? forms[rule] : undefined) ?? forms.other;
  return form.replaceAll("#", formatNumber(count));
}

/** A number as the language writes it: 1,284 or 1 284. */
export function formatNumber(value: number, options: Intl.NumberFormatOptions = {}): string {
  return new Intl.NumberFormat(current, options).format(value);
}

function readLanguage(): Language {
  return storedLanguage() ?? preferredLanguage();
}

function storedLanguage(): Language | null {
  try {
    return known(localStorage.getItem(storageKey));
  } catch {
    return null; // storage can be switched off
  }
}

function preferredLanguage(): Language {
  const wanted = typeof navigator === "undefined" ? [] : (navigator.languages ?? [navigator.language]);
  return wanted.map((tag) => known(tag.split("-")[0])).find((language) => language !== null) ?? "en";
}

function known(code: string | null | undefined): Language | null {
  return languages.find((language) => language.code === code)?.code ?? null;
}
