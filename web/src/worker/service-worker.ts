// Keeps the shell of the page, so that it opens without a connection and says so. Nothing else is ever kept: no answer of
// the API, no picture, nothing that belongs to a session. Why it is written by hand: docs/decisions.

/** Filled in by the build (web/shell-worker.config.ts): a name for this set of files, and their addresses; "/" is the page. */
declare const SHELL: { version: string; files: readonly string[]; pages: readonly string[] };

// What this worker uses of its surroundings; the library for workers cannot stand in one program with that for pages.
interface LastingEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface RequestEvent extends LastingEvent {
  request: Request;
  respondWith(answer: Promise<Response>): void;
}
interface WorkerScope {
  location: Location;
  skipWaiting(): Promise<void>;
  clients: { claim(): Promise<void> };
  addEventListener(type: "install" | "activate", listener: (event: LastingEvent) => void): void;
  addEventListener(type: "fetch", listener: (event: RequestEvent) => void): void;
}

const worker = self as unknown as WorkerScope;
const prefix = "safelight-shell-";
const current = `${prefix}${SHELL.version}`;
const shellFiles = new Set(SHELL.files);
/** What a proxy answers for a server that is away. */
const away: readonly number[] = [502, 503, 504];

worker.addEventListener("install", (event) => event.waitUntil(fill().then(() => worker.skipWaiting())));
worker.addEventListener("activate", (event) => event.waitUntil(tidy().then(() => worker.clients.claim())));

worker.addEventListener("fetch", (event) => {
  const { method, mode, url } = event.request;
  const { origin, pathname } = new URL(url);
  if (method !== "GET" || origin !== worker.location.origin) return;
  if (mode === "navigate" && SHELL.pages.includes(pathname)) event.respondWith(openPage(event.request));
  else if (shellFiles.has(pathname) && pathname !== "/") event.respondWith(fromShell(event.request));
  else if (pathname.startsWith("/assets/")) event.respondWith(fromShell(event.request));
});

/** The page comes from the server whenever that answers, so that no release is ever seen after its successor. */
async function openPage(request: Request): Promise<Response> {
  try {
    const answer = await fetch(request);
    if (!away.includes(answer.status)) return answer;
    return (await keptPage()) ?? answer;
  } catch (error) {
    const kept = await keptPage();
    if (kept === undefined) throw error;
    return kept;
  }
}

async function keptPage(): Promise<Response | undefined> {
  return (await caches.open(current)).match("/", { ignoreVary: true });
}

/** Files of the shell carry their content in their name. A page of the release before still finds its own. */
async function fromShell(request: Request): Promise<Response> {
  return (await caches.match(request, { ignoreSearch: true, ignoreVary: true })) ?? fetch(request);
}

async function fill(): Promise<void> {
  const cache = await caches.open(current);
  await Promise.all(
    SHELL.files.map(async (file) => {
      const isPage = file === "/";
      const headers = isPage ? { accept: "text/html" } : {};
      const hashed = file.startsWith("/assets/");
      const answer = await fetch(file, { headers, cache: hashed ? "default" : "reload", credentials: "omit" });
      if (!answer.ok) throw new Error(`${file}: ${answer.status}`);
      await cache.put(file, answer);
    }),
  );
}

/** Keeps the shell in force and the one before, which pages still open may ask for pieces of. */
async function tidy(): Promise<void> {
  const names = (await caches.keys()).filter((name) => name.startsWith(prefix) && name !== current);
  await Promise.all(names.slice(0, -1).map((name) => caches.delete(name)));
}
