import Type, { type Static } from "typebox";
import { choice, nullable, nullableInteger, nullableString, time } from "./fields.ts";

/**
 * Everything that is written into the audit log. Rows of other releases may hold further ones, so what reads them takes any
 * text.
 */
export const auditActions = [
  "add_account",
  "admin_session_create",
  "admin_session_delete",
  "admin_session_get",
  "adopt_environment",
  "cancel_deployment",
  "cancel_task",
  "chain_rows",
  "check_account",
  "content_refused",
  "cors_origin_blocked",
  "create_api_key",
  "delete_account",
  "deploy_account",
  "deploy_all",
  "disable_account",
  "drain_account",
  "enable_account",
  "export_logs",
  "front_task",
  "list_accounts",
  "list_deployments",
  "list_tasks",
  "make_backup",
  "pause_queue",
  "proxy_target_invalid",
  "prune_logs",
  "rate_limited",
  "read_deployment",
  "read_health",
  "read_logs",
  "read_metrics",
  "read_queue",
  "read_secrets",
  "read_statistics",
  "read_storage",
  "recover_secret",
  "remove_old_results",
  "restore_backup",
  "resume_queue",
  "retire_secret",
  "revoke_secret",
  "rollback_account",
  "rotate_secret",
  "secret_access_denied",
  "send_webhook",
  "sign_logs",
  "start_audit_chain",
  "task_stale",
  "update_account",
] as const;
export type AuditAction = (typeof auditActions)[number];

/** Why a checkpoint was made. */
export const checkpointKinds = ["start", "planned", "demand", "export", "prune", "stop"] as const;

export const AuditCheckpoint = Type.Object(
  {
    sequence: Type.Integer({ minimum: 1, description: "Rises by one with every checkpoint." }),
    kind: choice(checkpointKinds, { description: "Why it was made; prune stands for rows that were removed with it." }),
    created_at: time("When."),
    last_id: Type.Integer({ minimum: 1, description: "The last row that it covers." }),
    hash: Type.String({ description: "Hash of that row: it fixes every row up to there." }),
    rows: Type.Integer({ minimum: 1, description: "How many rows the log had ever had up to there." }),
    previous: Type.String({ description: "SHA-256 of the checkpoint before; 64 zeros for the first." }),
    key_id: Type.String({ description: "Which key signed it." }),
    signature: Type.String({ description: "Ed25519 over all fields before, in base64." }),
  },
  {
    description:
      "A signed statement of what the audit log held. Kept elsewhere it shows whether the log was rewritten.",
  },
);
export type AuditCheckpoint = Static<typeof AuditCheckpoint>;

export const BackupNote = Type.Object(
  { with_secrets: Type.Boolean({ description: "Whether the keys of the installation go into the backup too." }) },
  { description: "Says that a backup is about to be taken.", additionalProperties: false },
);
export type BackupNote = Static<typeof BackupNote>;

export const AuditPublicKey = Type.Object(
  {
    key_id: Type.String(),
    public_key: Type.String({ description: "Ed25519, SubjectPublicKeyInfo in base64." }),
    current: Type.Boolean({ description: "New checkpoints are signed with it." }),
  },
  { description: "What checkpoints are checked with." },
);
export type AuditPublicKey = Static<typeof AuditPublicKey>;

/** What is wrong with the first row, or checkpoint, that does not hold. */
export const brokenRowCodes = [
  "unchained",
  "out_of_order",
  "changed",
  "not_linked",
  "not_as_signed",
  "missing",
  "surplus",
] as const;
export type BrokenRowCode = (typeof brokenRowCodes)[number];
export const brokenCheckpointCodes = ["missing", "not_linked", "unknown_key", "signature", "not_kept"] as const;
export type BrokenCheckpointCode = (typeof brokenCheckpointCodes)[number];

const BrokenRow = Type.Object({
  id: Type.Integer({ description: "The first row that does not hold, or the first that is missing." }),
  code: Type.String({ description: `What is wrong: ${brokenRowCodes.join(", ")}.` }),
  detail: Type.String({ description: "One sentence in English." }),
});
const BrokenCheckpoint = Type.Object({
  sequence: Type.Integer(),
  code: Type.String({ description: `What is wrong: ${brokenCheckpointCodes.join(", ")}.` }),
  detail: Type.String({ description: "One sentence in English." }),
});

export const AuditVerification = Type.Object(
  {
    intact: Type.Boolean({ description: "No row and no checkpoint is broken." }),
    checked: Type.Integer({ minimum: 0, description: "Rows that were checked; all of them where the log is intact." }),
    first_id: nullableInteger({ description: "The first row that is there." }),
    last_id: nullableInteger({ description: "The last row that was checked." }),
    hash: nullableString({ description: "Hash of the last row that was checked." }),
    first_broken: nullable(BrokenRow, { description: "The first row that does not hold." }),
    checkpoints: Type.Object({
      checked: Type.Integer({ minimum: 0 }),
      first_broken: nullable(BrokenCheckpoint, { description: "The first checkpoint that does not hold." }),
      last: nullable(AuditCheckpoint),
      rows_after_last: Type.Integer({ minimum: 0, description: "Rows that no signature covers yet." }),
    }),
    pruned: nullable(
      Type.Object({
        rows: Type.Integer({ minimum: 1, description: "How many rows were removed since the first." }),
        last_id: Type.Integer({ minimum: 1, description: "The last row that was removed." }),
        at: time("When rows were last removed."),
      }),
      { description: "What was removed at the end of its retention, as the last checkpoint of its kind says." },
    ),
    public_keys: Type.Array(AuditPublicKey),
    cannot_show: Type.Array(
      Type.Object({ code: Type.String(), detail: Type.String({ description: "One sentence in English." }) }),
      { description: "What such a check cannot show, however it ends." },
    ),
  },
  { description: "What came of checking the whole audit log." },
);
export type AuditVerification = Static<typeof AuditVerification>;

export const AuditExport = Type.Unsafe<Blob>({
  type: "string",
  description:
    "One JSON object a line: header with the public keys, then the checkpoints, the rows, and an end that says how many there were.",
});
