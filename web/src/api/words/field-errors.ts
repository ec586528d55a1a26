// A refused field in words for people, by the code of the refusal and with the limits that GET /models states. The same
// words serve what the form finds out by itself and what the server says.
import { formatNumber, inLanguage, type LocalText, localize, plural } from "../../ui/language.ts";
import type { KeyframeField, Parameter, StudioModel } from "../studio-model.ts";

/** What is wrong with one field, as the server or the form itself tells it. */
export interface FieldFault {
  /** Path like `frames[1].strength`. */
  field: string;
  code: string;
  /** The server's English sentence, for what has no words here. */
  message?: string;
}

type Described = Partial<Omit<Parameter, "type" | "fields">> & Pick<Parameter, "type"> & { label: LocalText };

const en = {
  entry: (place: string, label: string) => `${place}, ${label}`,
  keyframe: (index: number) => `Key frame ${index}`,
  text: "Write something here.",
  picture: "This mode needs a picture here.",
  number: "Write a number.",
  whole: "Write a whole number.",
  option: "Choose one of the options.",
  range: (minimum: string, maximum: string) => `Between ${minimum} and ${maximum}.`,
  steps: (step: string, minimum: string, maximum: string) => `Steps of ${step} from ${minimum} to ${maximum}.`,
  atLeast: (minimum: string) => `At least ${minimum}.`,
  atMost: (maximum: string) => `At most ${maximum}.`,
  entries: (count: number) => plural(count, { one: "Add at least # picture.", other: "Add at least # pictures." }),
  tooManyEntries: (count: number) => plural(count, { one: "At most # picture.", other: "At most # pictures." }),
  tooLong: (count: number) => plural(count, { one: "At most # character.", other: "At most # characters." }),
  tooShort: (count: number) => plural(count, { one: "At least # character.", other: "At least # characters." }),
  forbidden: "There is an invisible character in this text: type it again.",
  duplicate: "Another one has the same value. Each needs its own.",
  beyond: (label: string, limit: string) => `Must be smaller than “${label}”, now ${limit}.`,
  beyondAll: "Too large for the other settings.",
  locked: (value: string) => `Fixed at ${value} by this model.`,
  otherMode: "This setting belongs to another mode.",
  unknown: "This model has no such setting.",
  badPicture: "This picture cannot be read. Choose a PNG, JPEG or WebP.",
  goneUpload: "The server no longer holds this picture. Add it again.",
  unavailableFormat: "This machine cannot write that file type. Choose another one.",
  missing: "This is needed.",
  other: "This value cannot be used.",
};

const ru: typeof en = {
  entry: (place, label) => `${place}, ${label}`,
  keyframe: (index) => `Ключевой кадр ${index}`,
  text: "Напишите здесь что-нибудь.",
  picture: "Этому режиму нужна здесь картинка.",
  number: "Укажите число.",
  whole: "Укажите целое число.",
  option: "Выберите один из вариантов.",
  range: (minimum, maximum) => `От ${minimum} до ${maximum}.`,
  steps: (step, minimum, maximum) => `С шагом ${step} от ${minimum} до ${maximum}.`,
  atLeast: (minimum) => `Не меньше ${minimum}.`,
  atMost: (maximum) => `Не больше ${maximum}.`,
  entries: (count) =>
    plural(count, {
      one: "Добавьте хотя бы # картинку.",
      few: "Добавьте хотя бы # картинки.",
      many: "Добавьте хотя бы # картинок.",
      other: "Добавьте хотя бы # картинки.",
    }),
  tooManyEntries: (count) =>
    plural(count, {
      one: "Не больше # картинки.",
      few: "Не больше # картинок.",
      many: "Не больше # картинок.",
      other: "Не больше # картинок.",
    }),
  tooLong: (count) =>
    plural(count, {
      one: "Не больше # знака.",
      few: "Не больше # знаков.",
      many: "Не больше # знаков.",
      other: "Не больше # знаков.",
    }),
  tooShort: (count) =>
    plural(count, {
      one: "Не меньше # знака.",
      few: "Не меньше # знаков.",
      many: "Не меньше # знаков.",
      other: "Не меньше # знаков.",
    }),
  forbidden: "В тексте есть невидимый знак: наберите текст заново.",
  duplicate: "Такое значение уже есть. У каждого должно быть своё.",
  beyond: (label, limit) => `Должно быть меньше, чем «${label}», сейчас ${limit}.`,
  beyondAll: "Слишком много для остальных настроек.",
  locked: (value) => `Эта модель всегда берёт ${value}.`,
  otherMode: "Эта настройка относится к другому режиму.",
  unknown: "У этой модели нет такой настройки.",
  badPicture: "Картинка не читается. Выберите PNG, JPEG или WebP.",
  goneUpload: "На сервере этой картинки больше нет. Добавьте её снова.",
  unavailableFormat: "Эта машина не может записать такой файл. Выберите другой тип.",
  missing: "Это нужно заполнить.",
  other: "Такое значение не подходит.",
};

const strings = inLanguage({ en, ru });

/** What the field is called: its label, with the place in the list it belongs to. */
export function fieldName(model: StudioModel, path: string): string {
  const described = describedBy(model, path);
  const place = /\[(\d+)\]/.exec(path)?.[1];
  const label = described ? localize(described.label) : path;
  return place === undefined ? label : strings.entry(strings.keyframe(Number(place) + 1), label);
}

/**
 * What is wrong and what would be right. `numbers` are the values in force, for limits that depend on another field. A
 * code without words of its own says so, with the server's sentence behind it.
 */
export function fieldFaultWords(
  model: StudioModel,
  fault: FieldFault,
  numbers: Readonly<Record<string, number>> = {},
): string {
  const described = describedBy(model, fault.field);
  return wordsFor(model, fault.code, described, numbers) ?? [strings.other, fault.message].filter(Boolean).join(" ");
}

/** The parameter, or the part of a list entry, that the path names. */
function describedBy(model: StudioModel, path: string): (Described & { less_than?: string }) | undefined {
  const [name, part] = path.split(/\[\d+\]\.?/);
  const parameter = model.parameters.find((candidate) => candidate.name === name);
  const field: KeyframeField | undefined = part ? parameter?.fields?.find((entry) => entry.name === part) : undefined;
  return part ? (field as (Described & { less_than?: string }) | undefined) : parameter;
}

function wordsFor(
  model: StudioModel,
  code: string,
  described: (Described & { less_than?: string }) | undefined,
  numbers: Readonly<Record<string, number>>,
): string | null {
  switch (code) {
    case "required":
    case "blank":
      return missingWords(described);
    case "wrong_type":
      return typeWords(described);
    case "too_short":
      return shortWords(described);
    case "too_long":
      return longWords(described);
    case "below_minimum":
    case "above_maximum":
    case "not_a_step":
      return rangeWords(described);
    case "out_of_range":
      return beyondWords(model, described, numbers);
    case "locked":
      return strings.locked(String(described?.default ?? ""));
    default:
      return (plainWords[code] ?? (() => null))();
  }
}

const plainWords: Readonly<Record<string, () => string>> = {
  not_an_option: () => strings.option,
  forbidden_character: () => strings.forbidden,
  duplicate: () => strings.duplicate,
  wrong_mode: () => strings.otherMode,
  unknown_parameter: () => strings.unknown,
  pattern: () => strings.badPicture,
  invalid_image: () => strings.badPicture,
  unknown_upload: () => strings.goneUpload,
  format_unavailable: () => strings.unavailableFormat,
};

function missingWords(described: Described | undefined): string {
  if (described?.type === "image") return strings.picture;
  if (described?.type === "keyframes") return strings.entries(described.min_items ?? 1);
  return described?.type === "string" ? strings.text : strings.missing;
}

function typeWords(described: Described | undefined): string {
  if (described?.options !== undefined) return strings.option;
  if (described?.type === "integer") return strings.whole;
  return described?.type === "number" ? strings.number : strings.other;
}

function shortWords(described: Described | undefined): string {
  if (described?.type === "keyframes") return strings.entries(described.min_items ?? 1);
  const shortest = described?.min_length ?? 1;
  return shortest > 1 ? strings.tooShort(shortest) : strings.text;
}

function longWords(described: Described | undefined): string | null {
  if (described?.type === "keyframes" && described.max_items !== undefined)
    return strings.tooManyEntries(described.max_items);
  return described?.max_length === undefined ? null : strings.tooLong(described.max_length);
}

function rangeWords(described: Described | undefined): string | null {
  const { min, max, step, type } = described ?? {};
  if (min !== undefined && max !== undefined) {
    return type === "integer" && step !== undefined && step !== 1
      ? strings.steps(exact(step), exact(min), exact(max))
      : strings.range(exact(min), exact(max));
  }
  if (min !== undefined) return strings.atLeast(exact(min));
  return max === undefined ? null : strings.atMost(exact(max));
}

function beyondWords(
  model: StudioModel,
  described: { less_than?: string } | undefined,
  numbers: Readonly<Record<string, number>>,
): string {
  const other = model.parameters.find((parameter) => parameter.name === described?.less_than);
  const limit = other && (numbers[other.name] ?? other.default);
  return other && typeof limit === "number" ? strings.beyond(localize(other.label), exact(limit)) : strings.beyondAll;
}

/** As it is typed into the field: without the marks between thousands. */
function exact(value: number): string {
  return formatNumber(value, { maximumFractionDigits: 6, useGrouping: false });
}
