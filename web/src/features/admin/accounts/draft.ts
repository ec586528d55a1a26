// What is typed into the forms of accounts. It outlives the form, so that nothing is lost when somebody looks elsewhere or
// the session ends; in memory only, as it may hold credentials, and gone when it was sent, given up, or somebody signs out.
import type { Account, AccountChange, AccountCredentials, AccountRequest } from "@safelight/contract";
import { hold } from "../held.ts";
import { onSigningOut } from "../session/admin-session.ts";

export interface AccountDraft {
  label: string;
  workspace: string;
  kind: Account["kind"];
  base_url: string;
  worker_key: string;
  token_id: string;
  token_secret: string;
  image: number;
  video: number;
  min_containers: number;
  max_containers: number;
  allow_plain_http: boolean;
}

export type Changes = Partial<AccountDraft>;

export const emptyDraft: AccountDraft = {
  label: "",
  workspace: "",
  kind: "modal",
  base_url: "",
  worker_key: "",
  token_id: "",
  token_secret: "",
  image: 1,
  video: 1,
  min_containers: 0,
  max_containers: 1,
  allow_plain_http: false,
};

const drafts = hold<Readonly<Record<string, Changes>>>({});
onSigningOut(() => drafts.write({}));

/** What was typed into the form of that name, and how to type on or forget it. */
export function useDraft(name: string) {
  const changes = drafts.use()[name] ?? {};
  return {
    changes,
    type: (more: Changes) => drafts.write({ ...drafts.read(), [name]: { ...drafts.read()[name], ...more } }),
    forget: () => {
      const { [name]: _gone, ...rest } = drafts.read();
      drafts.write(rest);
    },
  };
}

/** The draft of an account that is there: as it stands, with what was typed since. */
export function draftOf(account: Account, changes: Changes): AccountDraft {
  const { label, workspace, kind, base_url, slots, min_containers, max_containers, allow_plain_http } = account;
  const known = { label, workspace, kind, base_url: base_url ?? "", image: slots.image, video: slots.video };
  return { ...emptyDraft, ...known, min_containers, max_containers, allow_plain_http, ...changes };
}

export function requestOf(draft: AccountDraft): AccountRequest {
  const { label, workspace, kind, image, video } = draft;
  const request = { label: label.trim(), workspace: workspace.trim(), kind, slots: { image, video } };
  if (kind === "modal") {
    const { token_id, token_secret, min_containers, max_containers } = draft;
    return { ...request, token_id: token_id.trim(), token_secret: token_secret.trim(), min_containers, max_containers };
  }
  const plain = draft.allow_plain_http ? { allow_plain_http: true } : {};
  return { ...request, base_url: draft.base_url.trim(), worker_key: draft.worker_key.trim(), ...plain };
}

/** Only what differs from the account as it stands; null when nothing does. */
export function changeOf(account: Account, changes: Changes): AccountChange | null {
  const draft = draftOf(account, changes);
  const before = draftOf(account, {});
  const change: AccountChange = {};
  if (draft.label.trim() !== before.label) change.label = draft.label.trim();
  if (draft.image !== before.image || draft.video !== before.video)
    change.slots = { image: draft.image, video: draft.video };
  if (account.kind === "http") {
    if (draft.base_url.trim() !== before.base_url) change.base_url = draft.base_url.trim();
    if (draft.allow_plain_http !== before.allow_plain_http) change.allow_plain_http = draft.allow_plain_http;
  } else {
    if (draft.min_containers !== before.min_containers) change.min_containers = draft.min_containers;
    if (draft.max_containers !== before.max_containers) change.max_containers = draft.max_containers;
  }
  return Object.keys(change).length === 0 ? null : change;
}

export function credentialsOf(kind: Account["kind"], changes: Changes): AccountCredentials {
  const { token_id = "", token_secret = "", worker_key = "" } = changes;
  return kind === "modal"
    ? { token_id: token_id.trim(), token_secret: token_secret.trim() }
    : { worker_key: worker_key.trim() };
}
