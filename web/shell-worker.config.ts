import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";

/** Addresses that the worker opens without a connection: the page's own. */
const pages = ["/", "/gallery", "/history", "/admin", "/admin/dashboard"];
/** Letters that neither language of the page needs; a prompt in other letters loads them when it is shown. */
const rareLetters = /(?:vietnamese|greek|latin-ext|cyrillic-ext)/;

/** Tells the service worker which files make the shell of this build, under a version that changes with any of them. */
export function shellWorker(): Plugin {
  let publicFolder = "";
  return {
    name: "safelight-shell-worker",
    apply: "build",
    configResolved(config) {
      publicFolder = config.publicDir;
    },
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        const worker = bundle["service-worker.js"];
        const page = bundle["index.html"];
        if (worker?.type !== "chunk" || page?.type !== "asset")
          this.error("The shell has lost its page or its worker.");
        const built = Object.keys(bundle).filter((name) => name.startsWith("assets/") && !rareLetters.test(name));
        const standing = readdirSync(publicFolder, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name));
        const hash = createHash("sha256").update(page.source);
        for (const name of built) hash.update(name);
        for (const file of standing) hash.update(readFileSync(file));
        const files = ["/", ...built.map((name) => `/${name}`), "/manifest.webmanifest"];
        const shell = { version: hash.digest("hex").slice(0, 12), files: files.sort(), pages };
        worker.code = worker.code.replaceAll(/\bSHELL\b/g, () => "shell");
        worker.code = `const shell=${JSON.stringify(shell)};${worker.code}`;
      },
    },
  };
}
