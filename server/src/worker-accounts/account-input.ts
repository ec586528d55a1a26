/** What an operator may say of an account, and how the fields depend on one another. The schema of the route has judged each alone. */
import { type FieldError, SafelightError } from "../errors.ts";
import { type DestinationRules, parseDestination } from "../network/destination.ts";
import { TransportError } from "../network/transport-error.ts";
import type { AccountKind, AccountRecord } from "./account-record.ts";

export interface Slots {
  readonly image?: number;
  readonly video?: number;
}

export interface NewAccount {
  readonly label: string;
  readonly workspace: string;
  readonly kind: AccountKind;
  readonly token_id?: string;
  readonly token_secret?: string;
  readonly base_url?: string;
  readonly worker_key?: string;
  readonly slots?: Slots;
  readonly min_containers?: number;
  readonly max_containers?: number;
  readonly allow_plain_http?: boolean;
}

export type AccountChange = Partial<
  Pick<NewAccount, "label" | "base_url" | "slots" | "min_containers" | "max_containers" | "allow_plain_http">
>;

export type NewCredentials = Pick<NewAccount, "token_id" | "token_secret" | "worker_key">;

const fieldsOfKind = {
  modal: ["token_id", "token_secret"],
  http: ["base_url", "worker_key"],
} as const satisfies Record<AccountKind, readonly (keyof NewAccount)[]>;

/** Errors: `validation_failed` with every field at fault. Answers the base URL as it is kept. */
export function checkNewAccount(input: NewAccount, workerNetworks: readonly string[]): { baseUrl: string | null } {
  const faults: FieldError[] = [];
  for (const kind of ["modal", "http"] as const) {
    for (const field of fieldsOfKind[kind]) {
      if (kind === input.kind && input[field] === undefined) faults.push(missing(field));
      if (kind !== input.kind && input[field] !== undefined) faults.push(ofOtherKind(field, kind));
    }
  }
  const rules = { workerNetworks, allowPlainHttp: input.allow_plain_http ?? false };
  const baseUrl =
    input.kind === "modal" || input.base_url === undefined ? null : readBaseUrl(input.base_url, rules, faults);
  checkContainers(input.min_containers ?? 0, input.max_containers ?? 1, faults);
  refuse(faults);
  return { baseUrl };
}

/** Errors: `validation_failed`. Answers the base URL that will be in force. */
export function checkAccountChange(
  account: AccountRecord,
  change: AccountChange,
  workerNetworks: readonly string[],
): { baseUrl: string | null } {
  const faults: FieldError[] = [];
  if (account.kind === "modal" && change.base_url !== undefined) faults.push(ofOtherKind("base_url", "http"));
  const rules = { workerNetworks, allowPlainHttp: change.allow_plain_http ?? account.allowPlainHttp };
  const wanted = change.base_url ?? account.baseUrl;
  // Judged again when only the flag changes: a plain http address must not outlive the permission for it.
  const baseUrl = wanted === null || account.kind === "modal" ? account.baseUrl : readBaseUrl(wanted, rules, faults);
  checkContainers(
    change.min_containers ?? account.minContainers,
    change.max_containers ?? account.maxContainers,
    faults,
  );
  refuse(faults);
  return { baseUrl };
}

/** Errors: `validation_failed`. */
export function checkNewCredentials(kind: AccountKind, input: NewCredentials): void {
  const faults: FieldError[] = [];
  if (kind === "http") {
    if (input.worker_key === undefined) faults.push(missing("worker_key"));
    for (const field of ["token_id", "token_secret"] as const) {
      if (input[field] !== undefined) faults.push(ofOtherKind(field, "modal"));
    }
  } else {
    for (const field of fieldsOfKind.modal) if (input[field] === undefined) faults.push(missing(field));
    if (input.worker_key !== undefined) faults.push(ofOtherKind("worker_key", "http"));
  }
  refuse(faults);
}

function readBaseUrl(text: string, rules: DestinationRules, faults: FieldError[]): string | null {
  try {
    return parseDestination(text, rules).href.replace(/\/+$/, "");
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
    faults.push({ field: "base_url", code: error.reason, message: error.message });
    return null;
  }
}

function checkContainers(least: number, most: number, faults: FieldError[]): void {
  if (most >= least) return;
  const message = "max_containers must not be smaller than min_containers.";
  faults.push({ field: "max_containers", code: "below_minimum", message });
}

function missing(field: string): FieldError {
  return { field, code: "required", message: `${field} is missing.` };
}

function ofOtherKind(field: string, kind: AccountKind): FieldError {
  return { field, code: "not_for_kind", message: `${field} belongs to accounts of the kind ${kind}.` };
}

export function refuse(fields: readonly FieldError[]): void {
  if (fields.length === 0) return;
  throw new SafelightError("validation_failed", fields.map(({ message }) => message).join(" "), { fields });
}
