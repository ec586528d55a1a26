/** Whether the audit log is what was written: checking, signing and taking it elsewhere, for operators. */
import { endpoints } from "../endpoints.ts";
import { AuditCheckpoint, AuditExport, AuditVerification, BackupNote } from "../schemas/audit.ts";
import { door, json, jsonBody, machine } from "./error-sets.ts";

export const auditRoutes = {
  verifyAudit: {
    name: "verifyAudit",
    ...endpoints.verifyAudit,
    group: "admin",
    access: "admin",
    summary: "Check the audit log",
    description:
      "Recomputes the hash of every row and the signature of every checkpoint. Answers the first row that does not hold, and what no such check can show.",
    responses: { 200: { description: "What came of it.", content_type: json, schema: AuditVerification } },
    errors: [...door, ...machine],
  },
  exportAudit: {
    name: "exportAudit",
    ...endpoints.exportAudit,
    group: "admin",
    access: "admin",
    summary: "Download the audit log",
    description:
      "All rows, checkpoints and public keys, after a checkpoint that covers them; `safelight audit verify` checks the file without a server.",
    responses: {
      200: {
        description: "The log, written while it is sent.",
        content_type: "application/x-ndjson",
        schema: AuditExport,
        headers: { "Content-Disposition": "attachment with a file name.", "Cache-Control": "no-store." },
      },
    },
    errors: [...door, ...machine],
  },
  createAuditCheckpoint: {
    name: "createAuditCheckpoint",
    ...endpoints.createAuditCheckpoint,
    group: "admin",
    access: "admin",
    summary: "Sign the audit log now",
    description: "Makes a checkpoint that covers every row up to this moment. Keep it where this server cannot write.",
    responses: { 200: { description: "The checkpoint.", content_type: json, schema: AuditCheckpoint } },
    errors: [...door, ...machine],
  },
  noteBackup: {
    name: "noteBackup",
    ...endpoints.noteBackup,
    group: "admin",
    access: "admin",
    summary: "Note that a backup is taken",
    description:
      "Writes it into the audit log and signs that, so that the backup ends with a signature. The files themselves are copied by `safelight backup` on the machine that holds them: no route hands out the database.",
    body: { content_type: json, schema: BackupNote, required: true },
    responses: {
      200: { description: "The checkpoint, which the backup will hold.", content_type: json, schema: AuditCheckpoint },
    },
    errors: [...door, ...jsonBody, ...machine],
  },
} as const;
