import { useRouter, useRouterState } from "@tanstack/react-router";
import type { MouseEvent, ReactNode } from "react";

type PagePlace = "studio" | "queue" | "gallery" | "history";

const addresses = {
  studio: { to: "/", search: {} },
  queue: { to: "/", search: { queue: "open" } },
  gallery: { to: "/gallery", search: {} },
  history: { to: "/history", search: {} },
} as const;

/** Where the page stands now, as bars name it: the queue has a place of its own, though it belongs to the studio. */
function usePlace(): PagePlace | null {
  return useRouterState({
    select: ({ location }) => {
      const queue = (location.search as { queue?: unknown }).queue;
      if (location.pathname === "/") return queue === "open" ? "queue" : "studio";
      return location.pathname === "/gallery" ? "gallery" : location.pathname === "/history" ? "history" : null;
    },
  });
}

/** A way to a page that knows when it has been taken. The router's own link would call the studio current in its queue too. */
export function PageLink({ page, className, children }: { page: PagePlace; className: string; children: ReactNode }) {
  const router = useRouter();
  const place = usePlace();
  const address = addresses[page];
  const go = (event: MouseEvent) => {
    // Anything but a plain press is the browser's: a new tab, a new window, a download.
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    void router.navigate(address);
  };
  const prepare = () => void router.preloadRoute(address).catch(() => {});
  return (
    <a
      href={router.buildLocation(address).href}
      className={className}
      aria-current={place === page ? "page" : undefined}
      onClick={go}
      onPointerEnter={prepare}
      onFocus={prepare}
    >
      {children}
    </a>
  );
}
