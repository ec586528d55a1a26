import type { WantedWords } from "../database/dialect.ts";

// The tokenizer of the search index takes runs of letters, digits and marks for words. It splits at some marks and takes some
// letters for marks, where we do not follow it: only what stands before the first mark is searched for, as a beginning.
const words = /[\p{L}\p{N}\p{M}]+/gu;
const beginning = /^(?:(?![\u19b0-\u19c9\u1cf2\u1cf3])[\p{L}\p{N}])+/u;
const mostWords = 16;

/**
 * The words of a search: every one must stand in the prompt, or begin one of its words. Nothing a person types is ever syntax: only
 * letters and digits come through. Null: no text, so nothing is asked; none: there is text but no word in it, which nothing can match.
 */
export function searchedWords(text: string): string[] | null {
  if (text.trim() === "") return null;
  const folded = text.normalize("NFC").replaceAll("ё", "е").replaceAll("Ё", "Е");
  const found = [...folded.matchAll(words)].flatMap(([word]) => beginning.exec(word) ?? []);
  return [...new Set(found)].slice(0, mostWords);
}

/** What filters may ask of a task beside its words; all of it stands in its row of the search index. */
export interface SearchedFacts {
  readonly model?: string | undefined;
  readonly type?: string | undefined;
  readonly mode?: string | undefined;
  readonly favourite?: boolean | undefined;
  readonly failed?: boolean | undefined;
}

/** The words, among the tasks with these facts. */
export function narrowSearch(
  words: readonly string[],
  { model, type, mode, favourite, failed }: SearchedFacts,
): WantedWords {
  const named = (letter: string, name: string | undefined) => (name === undefined ? [] : [`${letter}${hex(name)}`]);
  const facts = [
    ...named("m", model),
    ...named("o", mode),
    ...named("t", type),
    ...(favourite === true ? ["f"] : []),
    ...(failed === true ? ["e"] : []),
  ];
  return { words, facts, without: favourite === false ? ["f"] : [] };
}

const hex = (name: string): string => Buffer.from(name).toString("hex");
