import type { AdminSearch } from "../features/admin/search.ts";
import { parseGallerySearch } from "../features/gallery/search.ts";
import { parseHistorySearch } from "../features/history/search.ts";
import { parseStudioSearch } from "../features/studio/search.ts";
import { openRouter, usePath } from "../ui/router.tsx";
import { lazyPage } from "./lazy-page.tsx";
import { NotFound } from "./not-found.tsx";

// Every page by its address. The server knows the same addresses (server/src/http/page-addresses.ts).

const studio = lazyPage(() => import("./studio-page.tsx").then((module) => module.StudioPage));
const gallery = lazyPage(() => import("../features/gallery/gallery.tsx").then((module) => module.Gallery));
const history = lazyPage(() => import("../features/history/history.tsx").then((module) => module.History));

const adminLogIn = lazyPage(() => import("../features/admin/log-in-page.tsx").then((module) => module.LogInPage));
const adminDashboard = lazyPage(() => import("./admin-page.tsx").then((module) => module.AdminPage));

declare module "../ui/router.tsx" {
  interface PageSearches {
    "/": ReturnType<typeof parseStudioSearch>;
    "/gallery": ReturnType<typeof parseGallerySearch>;
    "/history": ReturnType<typeof parseHistorySearch>;
    "/admin": AdminSearch;
    "/admin/dashboard": AdminSearch;
  }
}

/** The dashboard reads its address itself, so that its words for that are no part of a creator's first visit. */
function asSaid(search: Record<string, unknown>): AdminSearch {
  return search;
}

const pages = {
  "/": { parse: parseStudioSearch, ...studio },
  "/gallery": { parse: parseGallerySearch, ...gallery },
  "/history": { parse: parseHistorySearch, ...history },
  "/admin": { parse: (): AdminSearch => ({}), ...adminLogIn },
  "/admin/dashboard": { parse: asSaid, ...adminDashboard },
};

openRouter(pages);

/** The page that the address names. */
export function CurrentPage() {
  const path = usePath();
  if (!isPage(path)) return <NotFound />;
  const { Page } = pages[path];
  return <Page key={path} />;
}

function isPage(path: string): path is keyof typeof pages {
  return Object.hasOwn(pages, path);
}
