import { bundledModel, loadVocabulary, unknownIn, type Vocabulary } from "./vocabulary.ts";

/** What the model can draw: one name for each thing, under which words.json lists its synonyms. */
export interface KnownVocabulary {
  readonly subjects: readonly string[];
  readonly backdrops: readonly string[];
  readonly times: readonly string[];
  readonly weathers: readonly string[];
  readonly moods: readonly string[];
  readonly colours: readonly string[];
  readonly sizes: readonly string[];
  readonly positions: readonly string[];
}

let bundled: Vocabulary | undefined;

function bundledVocabulary(): Vocabulary {
  bundled ??= loadVocabulary(bundledModel);
  return bundled;
}

/** The groups of words the bundled model was trained on, for pages and answers that say what it knows. */
export function knownVocabulary(): KnownVocabulary {
  const { phrases } = bundledVocabulary();
  const names = (group: string) => Object.keys(phrases[group] ?? {});
  return {
    subjects: names("subjects"),
    backdrops: names("backdrops"),
    times: names("times"),
    weathers: names("weathers"),
    moods: names("moods"),
    colours: names("colours"),
    sizes: names("sizes"),
    positions: names("positions"),
  };
}

/** Every word the bundled model has seen, in lower case. */
export function knownWords(): string[] {
  return [...bundledVocabulary().tokens.keys()];
}

/** Words of the prompt, in lower case, that the bundled model has never seen; each once, in order. */
export function unknownWords(prompt: string): string[] {
  return unknownIn(bundledVocabulary(), prompt);
}
