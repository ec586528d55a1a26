// What the command line, tests and benchmarks use of the server.
export { parsePublicKey } from "./audit/keys.ts";
export {
  type ExportVerification,
  type KnownElsewhere,
  NotAnExport,
  readCheckpoint,
  verifyExport,
} from "./audit/verify-export.ts";
export { BackupError, type BackupManifest } from "./backup/backup-format.ts";
export { checkBackup, type Restored, restoreBackup } from "./backup/restore-backup.ts";
export { type BackupOptions, takeBackup } from "./backup/take-backup.ts";
export { type Config, type Environment, readConfig, repositoryRoot } from "./config.ts";
export { readServerNote, type ServerNote } from "./database/data-directory.ts";
export { examine } from "./doctor/examine.ts";
export type { Finding } from "./doctor/finding.ts";
export { SafelightError, StartupError } from "./errors.ts";
export { createLog, type Log, silentLog } from "./log.ts";
export { endOnUncaughtErrors, type RunningServer, type StartOptions, startServer } from "./main.ts";
export { type Moved, moveInstallation } from "./migrate/move.ts";
export { type HubTokenVerdict, judgeHubToken } from "./secrets/hub-token.ts";
export { readOwnSecret, secretFile } from "./secrets/resolve-secrets.ts";
