import type { ReactNode } from "react";
import { Link, usePath, useSearch } from "../ui/router.tsx";

type PagePlace = "studio" | "queue" | "gallery" | "history";

const addresses = {
  studio: { to: "/" },
  queue: { to: "/", search: { queue: "open" } },
  gallery: { to: "/gallery" },
  history: { to: "/history" },
} as const;

/** Where the page stands now, as bars name it: the queue has a place of its own, though it belongs to the studio. */
function usePlace(): PagePlace | null {
  const path = usePath();
  const isQueue = useSearch({ strict: false, select: (search) => search.queue === "open" });
  if (path === "/") return isQueue ? "queue" : "studio";
  return path === "/gallery" ? "gallery" : path === "/history" ? "history" : null;
}

/** A way to a page that knows when it has been taken. */
export function PageLink({ page, className, children }: { page: PagePlace; className: string; children: ReactNode }) {
  const isCurrent = usePlace() === page;
  return (
    <Link {...addresses[page]} className={className} aria-current={isCurrent ? "page" : undefined}>
      {children}
    </Link>
  );
}
