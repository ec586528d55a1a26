// The audit log proves itself: checked by the server, signed on demand, taken away and checked here without it.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AuditCheckpoint, type AuditPage, type AuditVerification } from "@safelight/contract";
import { parsePublicKey, verifyExport } from "@safelight/server";
import type { Operator } from "./operator.ts";
import type { Part } from "./part.ts";
import { must, mustAnswer, mustFit, mustHaveType, shapeOf, textOf } from "./probe.ts";

/** Milliseconds for a log of many rows. */
const patience = 120_000;

export const auditParts: readonly Part[] = [
  {
    name: "audit chain",
    routes: ["verifyAudit", "exportAudit", "createAuditCheckpoint"],
    check: async ({ operator }) => checkChain(await operator()),
  },
  {
    name: "backup note",
    routes: ["noteBackup"],
    check: async ({ operator }) => checkBackupNote(await operator()),
  },
];

async function checkChain(operator: Operator): Promise<string> {
  const verify = async () =>
    shapeOf<AuditVerification>("verifyAudit", await operator.ask("verifyAudit", { within: patience }), 200);
  const found = await verify();
  const broken = found.first_broken ?? found.checkpoints.first_broken;
  must(found.intact && broken === null, `the audit log is broken: ${broken?.detail ?? "it does not say where"}`);
  must(found.cannot_show.length > 0, "GET /admin/logs/verify does not say what it cannot show");
  const answer = await operator.ask("createAuditCheckpoint");
  const checkpoint = shapeOf<AuditCheckpoint>("createAuditCheckpoint", answer, 200);
  mustFit(answer.request, AuditCheckpoint, checkpoint);
  const after = await verify();
  must(after.checked > found.checked, "the row of a new checkpoint is not in the audit log");
  must(after.checkpoints.checked > found.checkpoints.checked, "a new checkpoint is not among those that were checked");
  const rows = await checkExport(operator, checkpoint, after);
  return `${rows} rows hold, ${after.checkpoints.checked} checkpoints, export checked offline`;
}

/** The export, checked with the key and the checkpoint from before; and one letter changed is found. */
async function checkExport(operator: Operator, checkpoint: AuditCheckpoint, found: AuditVerification): Promise<number> {
  const answer = await operator.ask("exportAudit", { within: patience });
  mustAnswer(answer, 200);
  mustHaveType(answer, "application/x-ndjson");
  const publicKeys = found.public_keys.flatMap(({ public_key: key }) => parsePublicKey(key) ?? []);
  const folder = await mkdtemp(join(tmpdir(), "safelight-smoke-"));
  try {
    const file = join(folder, "audit.ndjson");
    await writeFile(file, answer.bytes);
    const result = await verifyExport(file, { publicKeys, checkpoints: [checkpoint] });
    const detail = result.first_broken?.detail ?? result.kept.find(({ holds }) => !holds)?.detail;
    must(result.intact, `the export of the audit log does not hold: ${detail ?? "a checkpoint is broken"}`);
    const text = textOf(answer);
    const at = text.lastIndexOf('"sign_logs"');
    must(at > 0, "the export does not hold the row of the checkpoint");
    await writeFile(file, `${text.slice(0, at)}"sign_logz"${text.slice(at + '"sign_logs"'.length)}`);
    must(!(await verifyExport(file, { publicKeys })).intact, "a changed export passes for an intact one");
    return result.checked;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What `safelight backup` asks of the server that it copies: a row that says so, under a signature. */
async function checkBackupNote(operator: Operator): Promise<string> {
  const answer = await operator.ask("noteBackup", { body: { with_secrets: false } });
  const checkpoint = shapeOf<AuditCheckpoint>("noteBackup", answer, 200);
  const found = shapeOf<AuditVerification>("verifyAudit", await operator.ask("verifyAudit", { within: patience }), 200);
  must(
    (found.checkpoints.last?.sequence ?? 0) >= checkpoint.sequence,
    "the checkpoint of a backup is not in the audit log",
  );
  const rows = await operator.ask("listAuditEvents", { search: "?limit=50&action=make_backup" });
  const { logs } = shapeOf<AuditPage>("listAuditEvents", rows, 200);
  must(
    logs.some(({ id, outcome }) => outcome === "success" && id <= checkpoint.last_id),
    "a backup leaves no row in the audit log that its checkpoint covers",
  );
  return `noted and signed by checkpoint ${checkpoint.sequence}`;
}
