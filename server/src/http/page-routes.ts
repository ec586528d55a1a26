/**
 * The web page. Its files are listed once at start and served by exact name: there is no path to resolve, so there is none to climb
 * out of. The page holds no data and needs no session.
 */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteShorthandOptions } from "fastify";
import type { Config } from "../config.ts";
import { SafelightError } from "../errors.ts";
import { originOf } from "../media-setting.ts";
import { acceptsPage, pageAddresses, prefersPage } from "./page-addresses.ts";
import { isUnchanged } from "./range.ts";
import type { Registrar } from "./register.ts";
import { recordIfForeign } from "./register.ts";

/**
 * Everything from this server and nothing inline; pictures of the form are shown from memory (blob) before they are sent. Where results
 * are handed out by a bucket, they may come from there and nothing else may.
 */
export function pagePolicyOf({ mediaBucket, mediaDelivery }: Pick<Config, "mediaBucket" | "mediaDelivery">): string {
  const bucket = mediaBucket !== null && mediaDelivery === "signed" ? ` ${originOf(mediaBucket.location)}` : "";
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "font-src 'self'",
    `img-src 'self' blob: data:${bucket}`,
    `media-src 'self' blob:${bucket}`,
    `connect-src 'self'${bucket}`,
    "manifest-src 'self'",
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; ");
}

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

/** Files that must be asked for anew each time although their name stays: what is served next is decided by them. */
const pageHeaders = {
  "cache-control": "no-cache",
  // Never an address, whose query may hold a key; but the origin: without any, a browser sends the forms of the page (the
  // zip of a selection) as if they came from nowhere, and those are refused.
  "referrer-policy": "strict-origin",
};

/** A worker obeys the policy of its own file: this one may ask this server, and do nothing else. */
const workerPolicy = "default-src 'none'; connect-src 'self'";
const workerUrl = "/service-worker.js";

/** Registers the files of the built page; without them the pages' addresses say what to do. */
export async function registerPageRoutes(registrar: Registrar): Promise<void> {
  const folder = registrar.installation.webFolder;
  const files = await listFiles(folder);
  for (const file of files) {
    const url = `/${relative(folder, file).split(sep).join("/")}`;
    if (url !== "/index.html") registerPublicFile(registrar, url, file);
  }
  const index = files.find((file) => file === join(folder, "index.html")) ?? null;
  registrar.app.addConstraintStrategy(navigationStrategy);
  markVaryingAnswers(registrar);
  for (const url of pageAddresses) registerPage(registrar, url, index);
}

/** One file at one address, for everybody. Names under /assets carry a hash of their content and never change. */
export function registerPublicFile(registrar: Registrar, url: string, file: string, type?: string): void {
  const extension = file.slice(file.lastIndexOf(".") + 1);
  registerPublic(registrar, url, async (request, reply) => {
    reply.type(type ?? types[extension] ?? "application/octet-stream");
    if (url === workerUrl) reply.header("content-security-policy", workerPolicy);
    reply.header("cache-control", url.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache");
    return sendTagged(request, reply, await readFile(file));
  });
}

/** A public GET outside the contract: the page and what belongs to it. */
export function registerPublic(
  registrar: Registrar,
  url: string,
  handler: (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>,
  constraints: NonNullable<RouteShorthandOptions["constraints"]> = {},
): void {
  registrar.methods.add(url, ["GET", "HEAD"]);
  registrar.app.get(url, {
    constraints,
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

/**
 * A page's address may be an address of the API too. A navigation is told from other requests before a route is chosen, so
 * that the answer for programs keeps its own checks; where there is none, programs are told what is here.
 */
function registerPage(registrar: Registrar, url: string, file: string | null): void {
  const hasTwin = registrar.app.hasRoute({ method: "GET", url });
  registerPublic(
    registrar,
    url,
    async (request, reply) => {
      if (!acceptsPage(request.headers.accept))
        throw new SafelightError("not_found", "There is only a page here; see /docs.");
      if (file === null)
        throw new SafelightError("not_found", "The page is not built; run npm start, or npm run build -w web.");
      reply.type("text/html; charset=utf-8").headers(pageHeaders);
      reply.header("content-security-policy", pagePolicyOf(registrar.installation.config));
      return sendTagged(request, reply, await readFile(file));
    },
    hasTwin ? { navigation: true } : {},
  );
}

/** Lets a route say that it is for navigations; a route that says nothing takes the rest. */
const navigationStrategy: Parameters<FastifyInstance["addConstraintStrategy"]>[0] = {
  name: "navigation",
  storage: () => {
    const handlers = new Map<unknown, RouteHandler>();
    return {
      get: (value) => handlers.get(value) ?? null,
      set: (value, handler) => void handlers.set(value, handler),
    };
  },
  deriveConstraint: (request) => prefersPage(request.headers.accept),
  mustMatchWhenDerived: false,
};

type Storage = ReturnType<Parameters<FastifyInstance["addConstraintStrategy"]>[0]["storage"]>;
type RouteHandler = Parameters<Storage["set"]>[1];

/** Says that an address has more than one answer, whichever is given; a cache must not hand one out for the other. */
function markVaryingAnswers(registrar: Registrar): void {
  registrar.app.addHook("onRequest", (request, reply, done) => {
    if (pageAddresses.includes(request.routeOptions.url ?? "")) reply.header("vary", "Accept, Origin");
    done();
  });
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
