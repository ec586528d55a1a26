import { join } from "node:path";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { shellWorker } from "./shell-worker.config.ts";
import { comesBehind, splitTexts } from "./texts.config.ts";

// Where a running server is found while the page itself comes from `vite dev`.
const server = process.env.SAFELIGHT_URL ?? "http://127.0.0.1:8600";
const apiPaths =
  "^/(auth|models|uploads|generate|status|events|cancel|results|preview|tasks|gallery|admin|health|openapi\\.json|docs)(/|\\?|$)";

export default defineConfig({
  plugins: [react(), tailwindcss(), splitTexts(), shellWorker()],
  build: {
    outDir: "dist",
    emptyOutDir: true,
    assetsDir: "assets",
    // The page's content security policy allows nothing inline, data: fonts and icons included.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
    // The first browsers with light-dark(), which every colour is written in; older ones cost 2 kB of every first visit.
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    rolldownOptions: {
      input: {
        index: join(import.meta.dirname, "index.html"),
        "service-worker": join(import.meta.dirname, "src/worker/service-worker.ts"),
      },
      output: {
        // What most pages share travels in one piece: twenty small ones compress badly.
        codeSplitting: {
          groups: [{ name: "shared", test: (file) => !comesBehind(file), minShareCount: 4, minSize: 0 }],
        },
        // The worker keeps its name, so that a browser finds the next one; everything else is named by its content.
        entryFileNames: ({ name }) => (name === "service-worker" ? "[name].js" : "assets/[name]-[hash].js"),
      },
    },
  },
  server: {
    proxy: {
      [apiPaths]: {
        target: server,
        changeOrigin: true,
        // Operators' routes answer the server's own page only; here this is it.
        headers: { origin: server },
        // As the server does it: a navigation to an address of both a page and the API gets the page.
        bypass: ({ url, headers }) =>
          /^\/(gallery|admin|admin\/dashboard)(\?|$)/.test(url ?? "") && headers.accept?.includes("text/html")
            ? "/index.html"
            : undefined,
      },
    },
  },
});
