import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { routes } from "@safelight/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Edge, openEdge } from "../testing/edge.ts";
import { pageAddresses } from "./page-addresses.ts";

const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
let folder = "";
let edge: Edge;
let bare: Edge;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "safelight-page-"));
  await mkdir(join(folder, "assets"));
  await writeFile(
    join(folder, "index.html"),
    '<!doctype html><script type="module" src="/assets/app-1a2b.js"></script>',
  );
  await writeFile(join(folder, "assets", "app-1a2b.js"), "export {};");
  await writeFile(join(folder, "assets", "style-3c4d.css"), "body{}");
  await writeFile(join(folder, "favicon.svg"), "<svg/>");
  await writeFile(join(folder, "service-worker.js"), "self;");
  await writeFile(join(folder, "manifest.webmanifest"), '{"name":"Safelight"}');
  edge = await openEdge({ webFolder: folder });
  bare = await openEdge();
});
afterAll(async () => {
  await Promise.all([edge.close(), bare.close()]);
  await rm(folder, { recursive: true });
});

const get = (url: string, headers: Record<string, string> = {}, target = edge) =>
  target.inject({ url, headers: { "x-api-key": "", ...headers } });

describe("the page", () => {
  test("is served on a navigation, without a session, under a policy that allows nothing inline", async () => {
    const answer = await get("/", { accept: browser });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(answer.headers.vary).toContain("Accept");
    expect(answer.headers["cache-control"]).toBe("no-cache");
    // The page's own forms must come with an origin, and no address of it may leave with a request.
    expect(answer.headers["referrer-policy"]).toBe("strict-origin");
    expect(answer.headers["x-frame-options"]).toBe("DENY");
    const policy = String(answer.headers["content-security-policy"]);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    const same = await get("/", { accept: browser, "if-none-match": String(answer.headers.etag) });
    expect([same.statusCode, same.body]).toEqual([304, ""]);
  });

  test("is not for programs that ask for JSON: they get the one error form", async () => {
    const answer = await get("/", { accept: "application/json" });
    expect(answer.json()).toMatchObject({ code: "not_found" });
    expect(answer.headers.vary).toContain("Accept");
    expect((await get("/", { accept: "*/*" })).statusCode).toBe(200);
  });

  test.each([
    "/",
    "/gallery",
    "/history",
    "/gallery?model=a&item=b",
    "/?task=c",
    "/history?status=failed",
    "/admin",
    "/admin/dashboard?section=audit",
  ])("%s on a navigation, and so on F5, is the page and never JSON", async (url) => {
    const answer = await get(url, { accept: browser });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(answer.headers.vary).toBe("Accept, Origin");
    expect((await edge.inject({ method: "HEAD", url, headers: { accept: browser } })).statusCode).toBe(200);
  });

  test("an address of both a page and the API gives programs the API, with its own checks", async () => {
    const paths = new Set<string>(
      Object.values(routes)
        .filter((route) => route.method === "GET")
        .map((route) => route.path),
    );
    const shared = pageAddresses.filter((url) => paths.has(url));
    for (const url of shared) {
      for (const accept of ["*/*", "application/json", "application/json, text/html;q=0.9", "text/html;q=0.3, */*"]) {
        const refused = await get(url, { accept });
        expect([accept, refused.statusCode, refused.json().code]).toEqual([accept, 401, "session_required"]);
        expect(refused.headers.vary).toBe("Accept, Origin");
        expect((await edge.inject({ url, headers: { accept } })).headers["content-type"]).toContain("json");
      }
      expect((await edge.inject({ url })).statusCode).toBe(200);
      const post = await edge.inject({ method: "POST", url, headers: { accept: browser } });
      expect(post.json()).toMatchObject({ code: "method_not_allowed" });
    }
  });

  test("its files come with their types; hashed ones for good", async () => {
    const script = await get("/assets/app-1a2b.js");
    expect([script.body, script.headers["content-type"]]).toEqual(["export {};", "text/javascript; charset=utf-8"]);
    expect(script.headers["cache-control"]).toBe("public, max-age=31536000, immutable");
    expect((await get("/assets/style-3c4d.css")).headers["content-type"]).toBe("text/css; charset=utf-8");
    expect((await get("/favicon.svg")).headers).toMatchObject({
      "content-type": "image/svg+xml",
      "cache-control": "no-cache",
    });
    expect((await edge.inject({ method: "POST", url: "/assets/app-1a2b.js" })).json()).toMatchObject({
      code: "method_not_allowed",
    });
  });

  test("its worker may ask this server and nobody else, and is asked for anew each time, as is the manifest", async () => {
    const worker = await get("/service-worker.js");
    expect(worker.headers["content-type"]).toBe("text/javascript; charset=utf-8");
    expect(worker.headers["content-security-policy"]).toBe("default-src 'none'; connect-src 'self'");
    const manifest = await get("/manifest.webmanifest");
    expect(manifest.headers["content-type"]).toBe("application/manifest+json");
    for (const { headers } of [worker, manifest]) expect(headers["cache-control"]).toBe("no-cache");
  });

  test.each([
    "/assets/",
    "/assets/..%2findex.html",
    "/assets/%2e%2e/index.html",
    "/index.html",
    "/assets/nothing.js",
    "/assets/app-1a2b.js%00",
    "/.git/config",
    "/.env",
  ])("%s is nothing", async (url) => {
    expect((await get(url)).json()).toMatchObject({ code: "not_found" });
  });

  test("where it is not built, says what to do", async () => {
    const answer = await get("/", { accept: browser }, bare);
    expect(answer.json()).toMatchObject({ code: "not_found", detail: expect.stringContaining("not built") });
    expect((await bare.inject({ url: "/health" })).statusCode).toBe(200);
  });
});

describe("the documentation", () => {
  test("comes from this server alone and runs nothing inline", async () => {
    const answer = await get("/docs");
    expect(answer.headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(answer.headers["content-security-policy"]).not.toMatch(/unsafe|https?:/);
    expect(answer.body).not.toMatch(/<script>|<style|https?:|\son\w+=/);
    const parts = [...answer.body.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? "");
    expect(parts.length).toBeGreaterThanOrEqual(4);
    for (const part of parts) expect([part, (await get(part)).statusCode]).toEqual([part, 200]);
  });

  test("shows the document of exactly the routes that are here", async () => {
    const { paths } = (await get("/openapi.json")).json<{ paths: Record<string, Record<string, unknown>> }>();
    const mostlyWrong = ["PUT", "PATCH"] as const;
    // "/gallery/delete" is a route of its own and an id at the same time: what any path allows there is allowed.
    const operationsAt = (url: string) =>
      Object.entries(paths).flatMap(([path, operations]) =>
        new RegExp(`^${path.replaceAll(/\{\w+\}/g, "[^/]+")}$`).test(url) ? Object.keys(operations) : [],
      );
    for (const path of Object.keys(paths)) {
      const url = path.replaceAll(/\{\w+\}/g, "some-id");
      for (const method of ["GET", "POST", "DELETE"] as const) {
        const answer = await edge.inject({ method, url, headers: { "x-api-key": "wrong" } });
        if (!answer.headers["content-type"]?.includes("json")) continue;
        const isThere = answer.statusCode !== 405 && answer.json<{ code?: string }>().code !== "not_found";
        expect([method, path, isThere]).toEqual([method, path, operationsAt(url).includes(method.toLowerCase())]);
      }
      for (const method of mostlyWrong.filter((name) => !operationsAt(url).includes(name.toLowerCase()))) {
        expect([method, url, (await edge.inject({ method, url })).statusCode]).toEqual([method, url, 405]);
      }
    }
  });
});
