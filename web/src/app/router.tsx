import { createRootRoute, createRoute, createRouter } from "@tanstack/react-router";
import { parseGallerySearch } from "../features/gallery/search.ts";
import { parseHistorySearch } from "../features/history/search.ts";
import { parseStudioSearch } from "../features/studio/search.ts";
import { Frame } from "./frame.tsx";
import { lazyPage } from "./lazy-page.tsx";
import { NotFound } from "./not-found.tsx";
import { parseSearchText, searchText } from "./search-text.ts";

// Every page by its address. The server knows the same addresses (server/src/http/page-addresses.ts).

const root = createRootRoute({ component: Frame, notFoundComponent: NotFound });

const studio = createRoute({
  getParentRoute: () => root,
  path: "/",
  validateSearch: parseStudioSearch,
  component: lazyPage(() => import("./studio-page.tsx").then((module) => module.StudioPage)),
});

const gallery = createRoute({
  getParentRoute: () => root,
  path: "/gallery",
  validateSearch: parseGallerySearch,
  component: lazyPage(() => import("../features/gallery/gallery.tsx").then((module) => module.Gallery)),
});

const history = createRoute({
  getParentRoute: () => root,
  path: "/history",
  validateSearch: parseHistorySearch,
  component: lazyPage(() => import("../features/history/history.tsx").then((module) => module.History)),
});

export const router = createRouter({
  routeTree: root.addChildren([studio, gallery, history]),
  defaultPreload: "intent",
  parseSearch: parseSearchText,
  stringifySearch: searchText,
  scrollRestoration: true,
  // Pages keep what they read in the query cache; the router holds nothing of its own.
  defaultPreloadStaleTime: 0,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
