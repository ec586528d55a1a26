// The parts of an installation and how each is checked. Together they name every route of the contract.
import { endpoints, type RouteName } from "@safelight/contract";
import { checkDocuments, checkErrors, checkHealth, checkModels, checkSession } from "./check-access.ts";
import { checkEvents } from "./check-events.ts";
import { checkDelete, checkExport, checkFavourites, checkGallery } from "./check-gallery.ts";
import { checkGeneration, checkUploads } from "./check-media.ts";
import { checkCancel, checkTasks } from "./check-tasks.ts";
import type { Probe } from "./probe.ts";

export interface PartContext {
  probe: Probe;
  /** What POST /auth/session wants where the installation has an access password. */
  password: string | undefined;
}

export interface Part {
  name: string;
  /** Routes that it needs; all of them belong to every release of this contract. */
  routes: readonly RouteName[];
  /** Resolves with what was seen, in a few words; throws when the part is broken. */
  check(context: PartContext): Promise<string>;
}

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
];

/** Parts of later releases: named when an installation does not declare them, a failure when it does and we cannot check. */
export const laterParts: readonly { name: string; prefix: string }[] = [{ name: "administration", prefix: "/admin" }];

/** "GET /health". */
export function routeText(name: RouteName): string {
  return `${endpoints[name].method} ${endpoints[name].path}`;
}
