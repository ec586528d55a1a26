/** Method and path of every route of a worker. */
import type { Endpoint } from "../endpoints.ts";

export const workerEndpoints = {
  getHealth: { method: "GET", path: "/health" },
  putMedia: { method: "PUT", path: "/media/{sha256}" },
  createTask: { method: "POST", path: "/tasks" },
  getTask: { method: "GET", path: "/tasks/{id}" },
  getPreview: { method: "GET", path: "/tasks/{id}/preview" },
  getResult: { method: "GET", path: "/tasks/{id}/result" },
  cancelTask: { method: "POST", path: "/tasks/{id}/cancel" },
  deleteTask: { method: "DELETE", path: "/tasks/{id}" },
} as const satisfies Record<string, Endpoint>;

export type WorkerRouteName = keyof typeof workerEndpoints;

/** The path of a route with its parameters filled in and encoded. */
export function workerPathOf(name: WorkerRouteName, parameters: Readonly<Record<string, string>> = {}): string {
  return workerEndpoints[name].path.replace(/\{(\w+)\}/g, (_, key: string) => {
    const value = parameters[key];
    if (value === undefined || value === "") throw new TypeError(`The route ${name} needs the path parameter ${key}.`);
    return encodeURIComponent(value);
  });
}
