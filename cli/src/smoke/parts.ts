// The parts of an installation and how each is checked. Together they name every route of the contract. An area with parts of its own
// lists them in its check-<area>.ts, and here in one line.
import { endpoints, type RouteName } from "@safelight/contract";
import { checkDocuments, checkErrors, checkHealth, checkModels, checkSession } from "./check-access.ts";
import { accountParts } from "./check-accounts.ts";
import { adminParts } from "./check-admin.ts";
import { auditParts } from "./check-audit.ts";
import { deploymentParts } from "./check-deployments.ts";
import { checkEvents } from "./check-events.ts";
import { checkDelete, checkExport, checkFavourites, checkGallery } from "./check-gallery.ts";
import { checkGeneration, checkUploads } from "./check-media.ts";
import { operationsParts } from "./check-operations.ts";
import { proxyParts } from "./check-proxy.ts";
import { secretParts } from "./check-secrets.ts";
import { checkCancel, checkTasks } from "./check-tasks.ts";
import type { Part } from "./part.ts";

export const parts: readonly Part[] = [
  { name: "health", routes: ["getHealth"], check: ({ probe }) => checkHealth(probe) },
  { name: "documents", routes: ["getOpenApi", "getDocs"], check: ({ probe }) => checkDocuments(probe) },
  { name: "models", routes: ["listModels"], check: ({ probe }) => checkModels(probe) },
  {
    name: "session",
    routes: ["createSession", "getSession", "deleteSession"],
    check: ({ probe, password }) => checkSession(probe, password),
  },
  { name: "errors", routes: ["generate", "getStatus"], check: ({ probe }) => checkErrors(probe) },
  { name: "uploads", routes: ["createUpload", "getUpload"], check: ({ probe }) => checkUploads(probe) },
  {
    name: "image",
    routes: ["generate", "getStatus", "getResult", "getPreview"],
    check: ({ probe }) => checkGeneration(probe, "image"),
  },
  {
    name: "video",
    routes: ["generate", "getStatus", "getResult", "getPreview"],
    check: ({ probe }) => checkGeneration(probe, "video"),
  },
  { name: "events", routes: ["taskEvents", "allEvents"], check: ({ probe }) => checkEvents(probe) },
  { name: "cancel", routes: ["cancelTask"], check: ({ probe }) => checkCancel(probe) },
  { name: "tasks", routes: ["listTasks"], check: ({ probe }) => checkTasks(probe) },
  { name: "gallery", routes: ["listGallery", "getTask", "getPreview"], check: ({ probe }) => checkGallery(probe) },
  { name: "favourites", routes: ["setFavourite"], check: ({ probe }) => checkFavourites(probe) },
  { name: "export", routes: ["exportTasks"], check: ({ probe }) => checkExport(probe) },
  { name: "delete", routes: ["deleteTask", "deleteTasks"], check: ({ probe }) => checkDelete(probe) },
  ...adminParts,
  ...auditParts,
  ...secretParts,
  ...accountParts,
  ...deploymentParts,
  ...operationsParts,
  ...proxyParts,
];

/** "GET /health". */
export function routeText(name: RouteName): string {
  return `${endpoints[name].method} ${endpoints[name].path}`;
}
