import { routes, type Statistics, type StatisticsQuery } from "@safelight/contract";
import { readStatistics } from "../statistics/statistics.ts";
import type { Registrar } from "./register.ts";
import { registerAdmin } from "./register-admin.ts";

/** Figures for the dashboard and for whoever collects metrics. Both are asked for every few seconds and leave rows of failures only. */
export function registerAdminFiguresRoutes(registrar: Registrar): void {
  const { metrics, storage } = registrar.installation;

  registerAdmin<StatisticsQuery>(
    registrar,
    routes.getStatistics,
    { action: "read_statistics", records: "failures" },
    async ({ context, query }): Promise<Statistics> => ({
      ...readStatistics(context, query.hours ?? 24),
      storage: await storage.look(),
    }),
  );

  registerAdmin(
    registrar,
    routes.getMetrics,
    { action: "read_metrics", records: "failures", looksOnly: true },
    async ({ reply }) => reply.type(metrics.contentType).send(await metrics.read()),
  );
}
