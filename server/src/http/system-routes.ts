import { buildOpenApi, routes } from "@safelight/contract";
import { type Registrar, register } from "./register.ts";

/** Liveness and the document of this interface. */
export function registerSystemRoutes(registrar: Registrar): void {
  const { installation } = registrar;
  register(registrar, routes.getHealth, async () => ({
    status: "ok",
    version: installation.version,
    ready: await installation.isReady(),
  }));

  let document: string | undefined;
  register(registrar, routes.getOpenApi, ({ reply }) => {
    // Written out on the first request: start-up does not pay for it.
    document ??= JSON.stringify(buildOpenApi());
    return reply.type("application/json; charset=utf-8").send(document);
  });
}
