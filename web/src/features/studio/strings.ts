// The words of the page around recipe, stage and queue.
import { inLanguage } from "../../ui/language.ts";

const en = {
  title: "Studio",
  tryAgain: "Try again",
  reference: "Reference",
  modelsFailed: "The models did not load",
  modelsLoading: "Loading the models",
};

const ru: typeof en = {
  title: "Студия",
  tryAgain: "Повторить",
  reference: "Номер запроса",
  modelsFailed: "Модели не загрузились",
  modelsLoading: "Загрузка моделей",
};

export const strings = inLanguage({ en, ru });
