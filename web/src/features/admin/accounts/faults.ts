// What is wrong with the fields of an account's form, found out by the page or said by the server, in the same words.
import type { FieldProblem } from "@safelight/contract";
import { currentLanguage, inLanguage } from "../../../ui/language.ts";
import type { AccountDraft } from "./draft.ts";

/** Words by the name of the field as the server names it. */
export type Faults = Readonly<Record<string, string>>;

const workspacePattern = /^[a-z0-9-]{3,64}$/;

const en = {
  needed: "This is needed.",
  workspace: "3 to 64 of a–z, 0–9 and hyphen.",
  workspaceTry: (name: string) => `3 to 64 of a–z, 0–9 and hyphen. Try ${name}.`,
  taken: "There is an account of this name already, or runs of a deleted one have not ended.",
  keyShort: "A worker key has at least 16 characters.",
  tooLong: "This is too long.",
  printable: "No spaces, no accents: letters, figures and signs only.",
  hidden: "There is an invisible character in this text: type it again.",
  slots: "Between 0 and 64.",
  whole: "Write a whole number.",
  fewer: "Not less than the least.",
  url: "Write a whole address, such as https://worker.example:8700.",
  plainHttp: "Plain http goes only to this machine, or with the permission below.",
  refused: "The server does not call addresses of this network. The operator's setting WORKER_NETWORKS allows more.",
  other: "This value cannot be used.",
};

const ru: typeof en = {
  needed: "Это нужно заполнить.",
  workspace: "От 3 до 64 знаков: строчная латиница, цифры и дефис.",
  workspaceTry: (name) => `От 3 до 64 знаков: строчная латиница, цифры и дефис. Например ${name}.`,
  taken: "Учётка с таким именем уже есть, или запуски удалённой ещё не закончились.",
  keyShort: "В ключе исполнителя не меньше 16 знаков.",
  tooLong: "Слишком длинно.",
  printable: "Без пробелов: только латиница, цифры и знаки.",
  hidden: "В тексте есть невидимый знак: наберите его снова.",
  slots: "От 0 до 64.",
  whole: "Укажите целое число.",
  fewer: "Не меньше наименьшего.",
  url: "Укажите адрес целиком, с протоколом и портом.",
  plainHttp: "Без шифрования — только на эту же машину или с разрешением ниже.",
  refused: "К адресам этой сети сервер не обращается. Больше разрешает настройка сервера.",
  other: "Такое значение не подходит.",
};

const words = inLanguage({ en, ru });

/** What the page can find out by itself before it asks. */
export function findFaults(draft: AccountDraft): Faults {
  const faults: Record<string, string> = {};
  const needed = (field: "label" | "base_url" | "worker_key" | "token_id" | "token_secret") => {
    if (draft[field].trim() === "") faults[field] = words.needed;
  };
  needed("label");
  const workspace = draft.workspace.trim();
  if (workspace === "") faults.workspace = words.needed;
  else if (!workspacePattern.test(workspace)) faults.workspace = patternText(workspace);
  for (const field of credentialFields(draft.kind)) needed(field);
  if (draft.kind === "http") needed("base_url");
  return faults;
}

/** The same for credentials alone. */
export function findCredentialFaults(kind: AccountDraft["kind"], draft: Partial<AccountDraft>): Faults {
  const missing = credentialFields(kind).filter((field) => (draft[field] ?? "").trim() === "");
  return Object.fromEntries(missing.map((field) => [field, words.needed]));
}

/** The server's refusals by field. */
export function faultsOf(fields: readonly FieldProblem[], workspace: string): Faults {
  return Object.fromEntries(fields.map((fault) => [fault.field, faultWords(fault, workspace)]));
}

export function credentialFields(kind: AccountDraft["kind"]) {
  return kind === "modal" ? (["token_id", "token_secret"] as const) : (["worker_key"] as const);
}

function patternText(workspace: string): string {
  const name = workspace
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 64);
  return workspacePattern.test(name) ? words.workspaceTry(name) : words.workspace;
}

function faultWords({ field, code, message }: FieldProblem, workspace: string): string {
  if (field === "workspace" && code === "pattern") return patternText(workspace);
  if (field === "label" && code === "pattern") return words.hidden;
  if (field === "worker_key" && code === "too_short") return words.keyShort;
  if (field === "max_containers" && code === "below_minimum") return words.fewer;
  const known = byCode[code];
  if (known !== undefined) return known();
  return currentLanguage() === "en" && message !== "" ? message : words.other;
}

const byCode: Readonly<Record<string, () => string>> = {
  required: () => words.needed,
  too_short: () => words.needed,
  too_long: () => words.tooLong,
  pattern: () => words.printable,
  already_registered: () => words.taken,
  below_minimum: () => words.slots,
  above_maximum: () => words.slots,
  wrong_type: () => words.whole,
  bad_url: () => words.url,
  plain_http: () => words.plainHttp,
  address_refused: () => words.refused,
};
