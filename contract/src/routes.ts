/**
 * The route table: the server registers its handlers from it, `openapi.json` is written from it, the client is typed by
 * it. To add a route see README.md.
 */
import type { RouteName } from "./endpoints.ts";
import type { Route } from "./route.ts";
import { accountRoutes } from "./routes/accounts.ts";
import { adminRoutes } from "./routes/admin.ts";
import { auditRoutes } from "./routes/audit.ts";
import { deploymentRoutes } from "./routes/deployments.ts";
import { eventRoutes } from "./routes/events.ts";
import { galleryRoutes } from "./routes/gallery.ts";
import { mediaRoutes } from "./routes/media.ts";
import { operationsRoutes } from "./routes/operations.ts";
import { secretRoutes } from "./routes/secrets.ts";
import { sessionRoutes } from "./routes/session.ts";
import { systemRoutes } from "./routes/system.ts";
import { taskRoutes } from "./routes/tasks.ts";

export const routes = {
  ...sessionRoutes,
  ...taskRoutes,
  ...galleryRoutes,
  ...eventRoutes,
  ...mediaRoutes,
  ...adminRoutes,
  ...auditRoutes,
  ...accountRoutes,
  ...deploymentRoutes,
  ...secretRoutes,
  ...operationsRoutes,
  ...systemRoutes,
} as const satisfies { readonly [Name in RouteName]: Route & { readonly name: Name } };

export type Routes = typeof routes;
