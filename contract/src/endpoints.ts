/** Method and path of every route. Alone in a file, so that the client carries no schemas into a browser. */

export interface Endpoint {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** With parameters in braces: "/status/{id}". */
  readonly path: `/${string}`;
}

export const endpoints = {
  createSession: { method: "POST", path: "/auth/session" },
  getSession: { method: "GET", path: "/auth/session" },
  deleteSession: { method: "DELETE", path: "/auth/session" },
  listModels: { method: "GET", path: "/models" },
  createUpload: { method: "POST", path: "/uploads" },
  getUpload: { method: "GET", path: "/uploads/{id}" },
  generate: { method: "POST", path: "/generate" },
  getStatus: { method: "GET", path: "/status/{id}" },
  taskEvents: { method: "GET", path: "/events/{id}" },
  allEvents: { method: "GET", path: "/events" },
  cancelTask: { method: "POST", path: "/cancel/{id}" },
  getResult: { method: "GET", path: "/results/{id}" },
  getPreview: { method: "GET", path: "/preview/{id}" },
  listTasks: { method: "GET", path: "/tasks" },
  getTask: { method: "GET", path: "/tasks/{id}" },
  listGallery: { method: "GET", path: "/gallery" },
  deleteTask: { method: "DELETE", path: "/gallery/{id}" },
  deleteTasks: { method: "POST", path: "/gallery/delete" },
  exportTasks: { method: "POST", path: "/gallery/export" },
  setFavourite: { method: "PUT", path: "/gallery/{id}/favourite" },
  createAdminSession: { method: "POST", path: "/admin/session" },
  getAdminSession: { method: "GET", path: "/admin/session" },
  deleteAdminSession: { method: "DELETE", path: "/admin/session" },
  getAdminHealth: { method: "GET", path: "/admin/health" },
  listAuditEvents: { method: "GET", path: "/admin/logs" },
  verifyAudit: { method: "GET", path: "/admin/logs/verify" },
  exportAudit: { method: "GET", path: "/admin/logs/export" },
  createAuditCheckpoint: { method: "POST", path: "/admin/logs/checkpoint" },
  noteBackup: { method: "POST", path: "/admin/backup" },
  listAllTasks: { method: "GET", path: "/admin/tasks" },
  cancelAnyTask: { method: "POST", path: "/admin/tasks/{id}/cancel" },
  listAccounts: { method: "GET", path: "/admin/accounts" },
  addAccount: { method: "POST", path: "/admin/accounts" },
  getAccount: { method: "GET", path: "/admin/accounts/{workspace}" },
  updateAccount: { method: "PATCH", path: "/admin/accounts/{workspace}" },
  deleteAccount: { method: "DELETE", path: "/admin/accounts/{workspace}" },
  getAccountHealth: { method: "GET", path: "/admin/accounts/{workspace}/health" },
  checkAccount: { method: "POST", path: "/admin/accounts/{workspace}/health" },
  enableAccount: { method: "POST", path: "/admin/accounts/{workspace}/enable" },
  disableAccount: { method: "POST", path: "/admin/accounts/{workspace}/disable" },
  drainAccount: { method: "POST", path: "/admin/accounts/{workspace}/drain" },
  rotateAccount: { method: "POST", path: "/admin/accounts/{workspace}/rotate" },
  deployAccount: { method: "POST", path: "/admin/accounts/{workspace}/deploy" },
  rollbackAccount: { method: "POST", path: "/admin/accounts/{workspace}/rollback" },
  deployAll: { method: "POST", path: "/admin/deploy-all" },
  listDeployments: { method: "GET", path: "/admin/deployments" },
  getDeployment: { method: "GET", path: "/admin/deployments/{id}" },
  cancelDeployment: { method: "POST", path: "/admin/deployments/{id}/cancel" },
  deploymentEvents: { method: "GET", path: "/admin/deployments/{id}/events" },
  listSecrets: { method: "GET", path: "/admin/secrets" },
  rotateSecret: { method: "POST", path: "/admin/secrets/{name}/rotate" },
  revokeSecret: { method: "POST", path: "/admin/secrets/{name}/revoke" },
  retireSecret: { method: "POST", path: "/admin/secrets/{name}/retire" },
  recoverSecret: { method: "POST", path: "/admin/secrets/{name}/recover" },
  listApiKeys: { method: "GET", path: "/admin/api-keys" },
  createApiKey: { method: "POST", path: "/admin/api-keys" },
  revokeApiKey: { method: "POST", path: "/admin/api-keys/{id}/revoke" },
  getQueue: { method: "GET", path: "/admin/queue" },
  pauseQueue: { method: "POST", path: "/admin/queue/pause" },
  resumeQueue: { method: "POST", path: "/admin/queue/resume" },
  frontTask: { method: "POST", path: "/admin/tasks/{id}/front" },
  getStatistics: { method: "GET", path: "/admin/statistics" },
  getStorage: { method: "GET", path: "/admin/storage" },
  getMetrics: { method: "GET", path: "/admin/metrics" },
  getHealth: { method: "GET", path: "/health" },
  getOpenApi: { method: "GET", path: "/openapi.json" },
  getDocs: { method: "GET", path: "/docs" },
} as const satisfies Record<string, Endpoint>;

export type RouteName = keyof typeof endpoints;

/** The address of a route below `base`, with its path parameters filled in and encoded. */
export function pathOf(name: RouteName, parameters: Readonly<Record<string, string>> = {}): string {
  return endpoints[name].path.replace(/\{(\w+)\}/g, (_, key: string) => {
    const value = parameters[key];
    if (value === undefined || value === "") throw new TypeError(`The route ${name} needs the path parameter ${key}.`);
    return encodeURIComponent(value);
  });
}
