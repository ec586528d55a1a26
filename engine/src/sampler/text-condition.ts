import { tokenise, type Vocabulary } from "../vocabulary/vocabulary.ts";
import type { Graphs, TextStates } from "./graphs.ts";
import { TEXT_LENGTH } from "./text-length.ts";

/** What the pictures should show and what they should not; no negative where guidance is off. */
export interface TextCondition {
  readonly positive: TextStates;
  readonly negative: TextStates | null;
}

/** Encodes the prompt, and the negative prompt (an empty one too) when guidance will ask for it. */
export async function encodeCondition(
  graphs: Graphs,
  vocabulary: Vocabulary,
  prompts: { readonly prompt: string; readonly negativePrompt: string; readonly guidance: number },
): Promise<TextCondition> {
  const list = prompts.guidance === 1 ? [prompts.prompt] : [prompts.prompt, prompts.negativePrompt];
  const tokens = new BigInt64Array(list.length * TEXT_LENGTH);
  list.forEach((text, place) => tokens.set(tokenise(vocabulary, text, TEXT_LENGTH), place * TEXT_LENGTH));
  const encoded = await graphs.encodeText(tokens, list.length);
  const pick = (place: number): TextStates => ({
    states: block(encoded.states, place, list.length),
    mask: block(encoded.mask, place, list.length),
    pooled: block(encoded.pooled, place, list.length),
  });
  return { positive: pick(0), negative: list.length > 1 ? pick(1) : null };
}

function block(values: Float32Array, place: number, blocks: number): Float32Array {
  const length = values.length / blocks;
  return values.slice(place * length, (place + 1) * length);
}
