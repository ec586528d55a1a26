// What the run could not honour, said plainly.

import type { EngineJob, EngineWarning } from "../job/job.ts";
import { TEXT_LENGTH } from "../sampler/text-length.ts";
import { splitWords, unknownIn, type Vocabulary, wordsBeyond } from "../vocabulary/vocabulary.ts";
import { isUnchanged } from "./draw-unchanged.ts";
import { KEPT_STRENGTH } from "./redraw.ts";

/** Words of the phrases about subjects and scenes that draw nothing by themselves. */
const functionWords = new Set(
  "a an and another at behind by during front in is it near of on over side the to under while with".split(" "),
);

/** Warnings that follow from the job alone. */
export function warningsOf(job: EngineJob, completed: string, vocabulary: Vocabulary): EngineWarning[] {
  const warnings = [
    ...wordWarnings("prompt", job.prompt, vocabulary),
    ...wordWarnings("negative_prompt", job.negativePrompt, vocabulary),
  ];
  const telling = tellingWords(vocabulary);
  if (!splitWords(job.prompt).some(({ word }) => telling.has(word))) {
    const detail = "The model knows none of the words that say what to draw, so it draws what the seed gives.";
    warnings.push({ code: "nothing_known", parameter: "prompt", detail });
  }
  if (completed !== job.prompt) {
    const detail = `The prompt left things open and was completed: ${completed}`;
    warnings.push({ code: "prompt_completed", parameter: "prompt", detail });
  }
  if (isUnchanged(job)) {
    const detail = "With strength 0 nothing is drawn: the result is the framed reference.";
    return [...warnings, { code: "strength_zero", parameter: "strength", detail }];
  }
  return [...warnings, ...effectWarnings(job)];
}

/** Words that say something about a subject or a scene; "a beautiful picture of" does not. */
function tellingWords({ phrases }: Vocabulary): Set<string> {
  const texts = Object.values(phrases).flatMap((group) => Object.values(group).flat());
  const words = texts.flatMap((text) => splitWords(text)).map(({ word }) => word);
  return new Set(words.filter((word) => !functionWords.has(word)));
}

function wordWarnings(parameter: string, text: string, vocabulary: Vocabulary): EngineWarning[] {
  const warnings: EngineWarning[] = [];
  const unknown = unknownIn(vocabulary, text);
  if (unknown.length > 0) {
    const detail = `The model does not know these words and ignored them: ${unknown.join(", ")}.`;
    warnings.push({ code: "unknown_words", parameter, words: unknown, detail });
  }
  const beyond = wordsBeyond(vocabulary, text, TEXT_LENGTH);
  if (beyond.length > 0) {
    const detail = `The model reads ${TEXT_LENGTH - 1} known words; these were left out: ${beyond.join(" ")}.`;
    warnings.push({ code: "prompt_too_long", parameter, words: beyond, detail });
  }
  return warnings;
}

function effectWarnings(job: EngineJob): EngineWarning[] {
  const warnings: EngineWarning[] = [];
  const guided = usesGuidance(job);
  if (job.negativePrompt.trim() !== "" && (!guided || job.guidance === 1)) {
    const detail = guided
      ? "With guidance 1 a negative prompt has no effect."
      : "The clip is drawn from its references without guidance, so a negative prompt has no effect.";
    warnings.push({ code: "no_effect", parameter: "negative_prompt", detail });
  }
  if (!guided && job.guidance !== 1) {
    const detail = "The clip is drawn from its references alone, so guidance has no effect.";
    warnings.push({ code: "no_effect", parameter: "guidance", detail });
  }
  return warnings;
}

/** Motion is drawn without guidance; it counts where a picture is drawn or redrawn from the prompt. */
function usesGuidance({ mode, references }: EngineJob): boolean {
  return (
    mode === "txt2img" ||
    mode === "img2img" ||
    mode === "t2v" ||
    references.some(({ strength }) => strength < KEPT_STRENGTH)
  );
}
