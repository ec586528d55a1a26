// Notices in words, by their code: what the engine did not know or could not honour, what a model cannot do here, and why
// it cannot run at all.
import type { Notice } from "@safelight/contract";
import { inLanguage } from "../../ui/language.ts";

const en = {
  unknown_words: (words: string) => `The model does not know these words and ignored them: ${words}.`,
  nothing_known: "The model knows none of the words, so it draws what the seed gives.",
  prompt_completed: "The prompt left things open and was completed.",
  prompt_too_long: (words: string) => `The prompt is longer than the model reads; these words were left out: ${words}.`,
  strength_zero: "With strength 0 nothing is drawn: the result is the framed reference.",
  reference_cropped: "A part of a reference picture was cut off to fit the size.",
  no_effect: (label: string) => `“${label}” changes nothing here.`,
  no_effect_unnamed: "A setting changes nothing here.",
  format_unavailable: (options: string) => `This machine cannot write ${options}.`,
  miniature_engine:
    "Sketch runs this model: a miniature with a small vocabulary. Connect a GPU workspace for the real model.",
  tiny_models: "Made by tiny models with random weights, for trying things out: what they draw shows nothing.",
  embedded_engine_off: "no workspace offers it, and the embedded engine is switched off",
  embedded_engine_aside: "the workspaces that offer it are not ready",
  no_workers: "no workspace here offers it",
};

const ru: typeof en = {
  unknown_words: (words) => `Этих слов модель не знает и пропустила их: ${words}.`,
  nothing_known: "Модель не знает ни одного из слов и рисует то, что даёт зерно.",
  prompt_completed: "Описание оставляло свободу и было дополнено.",
  prompt_too_long: (words) => `Описание длиннее, чем модель читает; эти слова пропущены: ${words}.`,
  strength_zero: "С силой 0 ничего не рисуется: результат — кадрированный образец.",
  reference_cropped: "Часть образца обрезана, чтобы он подошёл по размеру.",
  no_effect: (label) => `«${label}» здесь ничего не меняет.`,
  no_effect_unnamed: "Одна из настроек здесь ничего не меняет.",
  format_unavailable: (options) => `Эта машина не может записать ${options}.`,
  miniature_engine:
    "Эту модель заменяет Sketch: миниатюра с малым словарём. Подключите площадку с GPU, чтобы работала настоящая.",
  tiny_models: "Нарисовано крошечными моделями со случайными весами, для пробы: на изображении ничего нет.",
  embedded_engine_off: "её нет ни на одной площадке, а встроенный движок отключён",
  embedded_engine_aside: "площадки с этой моделью сейчас не готовы",
  no_workers: "её нет ни на одной площадке",
};

const words = inLanguage({ en, ru });

/**
 * A notice as one sentence in the language in force. `label` is what the page calls the parameter that the notice is about.
 * What this page does not know is shown as the server put it.
 */
export function noticeWords(notice: Notice, label?: string | null): string {
  const listed = (notice.words ?? []).join(", ");
  switch (notice.code) {
    case "unknown_words":
      return words.unknown_words(listed);
    case "prompt_too_long":
      return words.prompt_too_long(listed);
    case "no_effect":
      return label ? words.no_effect(label) : words.no_effect_unnamed;
    case "format_unavailable":
      return words.format_unavailable((notice.options ?? []).join(", "));
    default: {
      const known: unknown = Reflect.get(words, notice.code);
      return typeof known === "string" ? known : notice.detail;
    }
  }
}

/** Why a model cannot run here, to stand after "not available:". The server's sentence where this page has none. */
export function unavailableWords(reason: Notice | null): string | null {
  return reason === null ? null : noticeWords(reason);
}
