// The words the model was trained on and their groups, as its own files list them. Everything else in a prompt is
// ignored, and said to be.

import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** Folder of the bundled model. */
export const bundledModel = fileURLToPath(new URL("../../model/", import.meta.url));

/** Groups of words as words.json names them: each thing with the phrases that call it up. */
export type PhraseGroups = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

export interface Vocabulary {
  /** Token number of each known word. */
  readonly tokens: ReadonlyMap<string, bigint>;
  readonly colours: ReadonlySet<string>;
  readonly sizes: ReadonlySet<string>;
  readonly places: ReadonlySet<string>;
  /** Words before a noun that change nothing. */
  readonly adjectives: ReadonlySet<string>;
  /** Colours a subject usually has, by its name in `phrases`. */
  readonly usualColours: ReadonlyMap<string, readonly string[]>;
  readonly phrases: PhraseGroups;
  /** (width, height) of the pictures it was trained on, in pixels. */
  readonly shapes: readonly (readonly [number, number])[];
}

/** Token that opens every prompt; the two marks at the head of the list are no words. */
const OPENING_TOKEN = 1n;
const MARKS = 2;

interface WordsFile {
  colours: string[];
  sizes: string[];
  places: string[];
  adjectives: string[];
  usual_colours: Record<string, string[]>;
  phrases: Record<string, Record<string, string[]>>;
  shapes: [number, number][];
}

export function loadVocabulary(folder: string): Vocabulary {
  const list: string[] = JSON.parse(readFileSync(path.join(folder, "vocab.json"), "utf8"));
  const words: WordsFile = JSON.parse(readFileSync(path.join(folder, "words.json"), "utf8"));
  return {
    tokens: new Map(list.map((word, token): [string, bigint] => [word, BigInt(token)]).slice(MARKS)),
    colours: new Set(words.colours),
    sizes: new Set(words.sizes),
    places: new Set(words.places),
    adjectives: new Set(words.adjectives),
    usualColours: new Map(Object.entries(words.usual_colours)),
    phrases: words.phrases,
    shapes: words.shapes,
  };
}

/** A word of a prompt and where it stands in the text; a possessive ending is left out ("cat's" is "cat"). */
export interface PromptWord {
  readonly word: string;
  readonly start: number;
  readonly end: number;
}

/** Words of any script, in lower case, so that those in other languages are named as unknown rather than overlooked. */
export function splitWords(text: string): PromptWord[] {
  return [...text.matchAll(/([\p{L}\p{M}\p{N}]+)(?:['’]s(?![\p{L}\p{N}]))?/gu)].map((match) => {
    const word = match[1] ?? "";
    return { word: word.toLowerCase(), start: match.index, end: match.index + word.length };
  });
}

/** Token numbers of the known words, padded with zeros to `length`; what does not fit is dropped. */
export function tokenise(vocabulary: Vocabulary, text: string, length: number): BigInt64Array {
  const tokens = new BigInt64Array(length);
  tokens.set([OPENING_TOKEN, ...knownTokens(vocabulary, text)].slice(0, length));
  return tokens;
}

/** Words of the text beyond the `length` tokens that the model reads. */
export function wordsBeyond(vocabulary: Vocabulary, text: string, length: number): string[] {
  return splitWords(text)
    .map(({ word }) => word)
    .filter((word) => vocabulary.tokens.has(word))
    .slice(length - 1);
}

/** Words the model has never seen; each once, in order. */
export function unknownIn(vocabulary: Vocabulary, text: string): string[] {
  return [...new Set(splitWords(text).map(({ word }) => word))].filter((word) => !vocabulary.tokens.has(word));
}

function knownTokens(vocabulary: Vocabulary, text: string): bigint[] {
  return splitWords(text).flatMap(({ word }) => vocabulary.tokens.get(word) ?? []);
}
