import { routes, type Statistics, type StatisticsQuery } from "@safelight/contract";
import { createStatistics } from "../statistics/statistics.ts";
import type { Registrar } from "./register.ts";
import { registerAdmin } from "./register-admin.ts";

/** Figures for the dashboard and for whoever collects metrics. Both are asked for every few seconds and leave rows of failures only. */
export function registerAdminFiguresRoutes(registrar: Registrar): void {
  const { context: system, metrics, storage, storageCare } = registrar.installation;
  const statistics = createStatistics(system);

  registerAdmin<StatisticsQuery>(
    registrar,
    routes.getStatistics,
    { action: "read_statistics", records: "failures" },
    async ({ query }): Promise<Statistics> => ({
      ...(await statistics(query.hours ?? 24)),
      storage: await storage.look(),
    }),
  );

  registerAdmin(registrar, routes.getStorage, { action: "read_storage", records: "failures" }, () =>
    storageCare.describe(),
  );

  registerAdmin(
    registrar,
    routes.getMetrics,
    { action: "read_metrics", records: "failures", looksOnly: true },
    async ({ reply }) => reply.type(metrics.contentType).send(await metrics.read()),
  );
}
