import "./gallery.css";
import "./detail/detail.css";
import { useCallback, useRef } from "react";
import { usePageTitle } from "../../ui/page-title.ts";
import { goBack, goTo, useEntry, useNavigate, useSearch } from "../../ui/router.tsx";
import { GalleryPage } from "./gallery-page.tsx";
import type { GallerySearch } from "./search.ts";
import { strings } from "./strings.ts";

/** Everything that was made, at its address: filters and the open picture are part of it. */
export function Gallery() {
  usePageTitle(strings.title);
  const search: GallerySearch = useSearch({ from: "/gallery" });
  const entry = useEntry();
  const navigate = useNavigate();
  // Closing a picture that was opened here is going back: the address before it is not left behind twice.
  const opened = useRef(false);
  const onSearch = useCallback(
    (next: GallerySearch, { push }: { push: boolean }) => {
      void navigate({ to: "/gallery", search: next, replace: !push, resetScroll: false });
    },
    [navigate],
  );
  const onOpen = useCallback(
    (next: GallerySearch) => {
      opened.current = true;
      onSearch(next, { push: true });
    },
    [onSearch],
  );
  const onClose = useCallback(
    (next: GallerySearch) => {
      if (opened.current) goBack();
      else onSearch(next, { push: false });
      opened.current = false;
    },
    [onSearch],
  );
  const onLeave = goTo;
  return (
    <GalleryPage
      search={search}
      entry={entry}
      onSearch={onSearch}
      onOpen={onOpen}
      onClose={onClose}
      onLeave={onLeave}
    />
  );
}
