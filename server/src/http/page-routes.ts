/**
 * The web page. Its files are listed once at start and served by exact name: there is no path to resolve, so there is none to climb
 * out of. The page holds no data and needs no session.
 */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import type { FastifyReply, FastifyRequest } from "fastify";
import { SafelightError } from "../errors.ts";
import { isUnchanged } from "./range.ts";
import type { Registrar } from "./register.ts";
import { recordIfForeign } from "./register.ts";

/** Everything from this server and nothing inline; pictures of the form are shown from memory (blob) before they are sent. */
export const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "font-src 'self'",
  "img-src 'self' blob: data:",
  "media-src 'self' blob:",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

const types: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  json: "application/json; charset=utf-8",
  webmanifest: "application/manifest+json",
  svg: "image/svg+xml",
  png: "image/png",
  jpg: "image/jpeg",
  webp: "image/webp",
  ico: "image/x-icon",
  woff2: "font/woff2",
  txt: "text/plain; charset=utf-8",
  map: "application/json",
};

/** Registers the files of the built page; without them `/` says what to do. */
export async function registerPageRoutes(registrar: Registrar): Promise<void> {
  const folder = registrar.installation.webFolder;
  const files = await listFiles(folder);
  for (const file of files) {
    const url = `/${relative(folder, file).split(sep).join("/")}`;
    if (url !== "/index.html") registerPublicFile(registrar, url, file);
  }
  registerPage(registrar, "/", files.includes(join(folder, "index.html")) ? join(folder, "index.html") : null);
}

/** One file at one address, for everybody. Names under /assets carry a hash of their content and never change. */
export function registerPublicFile(registrar: Registrar, url: string, file: string, type?: string): void {
  const extension = file.slice(file.lastIndexOf(".") + 1);
  registerPublic(registrar, url, async (request, reply) => {
    reply.type(type ?? types[extension] ?? "application/octet-stream");
    reply.header("cache-control", url.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache");
    return sendTagged(request, reply, await readFile(file));
  });
}

/** A public GET outside the contract: the page and what belongs to it. */
export function registerPublic(
  registrar: Registrar,
  url: string,
  handler: (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>,
): void {
  registrar.methods.add(url, ["GET", "HEAD"]);
  registrar.app.get(url, {
    onRequest: async (request, reply) => {
      try {
        registrar.hostAndOrigin.checkHost(request);
        registrar.hostAndOrigin.checkOrigin(request, reply);
      } catch (error) {
        await recordIfForeign(registrar.installation, url, request, error);
      }
    },
    handler,
  });
}

function registerPage(registrar: Registrar, url: string, file: string | null): void {
  registerPublic(registrar, url, async (request, reply) => {
    reply.header("vary", "Accept, Origin");
    if (!acceptsPage(request.headers.accept))
      throw new SafelightError("not_found", "There is only a page here; see /docs.");
    if (file === null)
      throw new SafelightError("not_found", "The page is not built; run npm start, or npm run build -w web.");
    reply.type("text/html; charset=utf-8").headers({
      "cache-control": "no-cache",
      "content-security-policy": pagePolicy,
      "cross-origin-opener-policy": "same-origin",
      "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=()",
    });
    return sendTagged(request, reply, await readFile(file));
  });
}

/** Whether a page is welcome: yes when HTML is named or anything goes, no for a program that asks for JSON. */
function acceptsPage(accept: string | undefined): boolean {
  return accept === undefined || /text\/html|application\/xhtml\+xml|\*\/\*|text\/\*/.test(accept);
}

function sendTagged(request: FastifyRequest, reply: FastifyReply, bytes: Buffer): FastifyReply {
  const etag = `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`;
  reply.header("etag", etag);
  return isUnchanged(request.headers["if-none-match"], etag) ? reply.code(304).send() : reply.send(bytes);
}

async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
