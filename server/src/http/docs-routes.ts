import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { routes } from "@safelight/contract";
import { pagePolicyOf, registerPublic, registerPublicFile } from "./page-routes.ts";
import { type Registrar, register } from "./register.ts";

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Safelight API</title>
    <link rel="stylesheet" href="/docs/swagger-ui.css">
    <link rel="icon" href="/docs/favicon.png">
  </head>
  <body>
    <div id="interface"></div>
    <script src="/docs/swagger-ui.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`;

const start = `SwaggerUIBundle({ url: "/openapi.json", dom_id: "#interface", deepLinking: true, validatorUrl: null });\n`;

/** The documentation page, with every file of it from this server: it works without the internet and sends nothing there. */
export function registerDocsRoutes(registrar: Registrar): void {
  register(registrar, routes.getDocs, ({ reply }) =>
    reply
      .type("text/html; charset=utf-8")
      .headers({ "content-security-policy": pagePolicyOf(registrar.installation.config), "cache-control": "no-cache" })
      .send(page),
  );
  registerPublic(registrar, "/docs/start.js", async (_request, reply) =>
    reply.type("text/javascript; charset=utf-8").header("cache-control", "no-cache").send(start),
  );
  const folder = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
  registerPublicFile(registrar, "/docs/swagger-ui.css", join(folder, "swagger-ui.css"));
  registerPublicFile(registrar, "/docs/swagger-ui.js", join(folder, "swagger-ui-bundle.js"));
  registerPublicFile(registrar, "/docs/favicon.png", join(folder, "favicon-32x32.png"));
}
