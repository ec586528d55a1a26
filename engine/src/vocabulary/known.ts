/** What the model can draw, first name of each thing first. */
export interface KnownVocabulary {
  readonly subjects: readonly string[];
  readonly backdrops: readonly string[];
  readonly times: readonly string[];
  readonly weathers: readonly string[];
  readonly colours: readonly string[];
  readonly sizes: readonly string[];
  readonly positions: readonly string[];
}

/** The groups of words the bundled model was trained on, for pages and answers that say what it knows. */
export function knownVocabulary(): KnownVocabulary {
  return { subjects: [], backdrops: [], times: [], weathers: [], colours: [], sizes: [], positions: [] };
}

/** Words of the prompt, in lower case, that the bundled model has never seen; each once, in order. */
export function unknownWords(_prompt: string): string[] {
  return [];
}
