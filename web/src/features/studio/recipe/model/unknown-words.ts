// Words of a prompt that the bundled miniature will ignore, split as it splits them.

/**
 * Words of the text that are not known, in lower case, each once, in order. The word that is being written, at the end of
 * the text, is none yet while `writing`. Nothing is unknown where no word is known.
 */
export function unknownWordsIn(text: string, known: ReadonlySet<string>, writing = false): string[] {
  if (known.size === 0) return [];
  const words = [...text.matchAll(/([\p{L}\p{M}\p{N}]+)(?:['’]s(?![\p{L}\p{N}]))?/gu)]
    .filter((match) => !writing || match.index + match[0].length < text.length)
    .map((match) => match[1]?.toLowerCase() ?? "");
  return [...new Set(words)].filter((word) => !known.has(word));
}
