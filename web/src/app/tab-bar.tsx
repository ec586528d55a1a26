import { Aperture, History, LayoutGrid, List } from "lucide-react";
import { useActiveTasks } from "../api/tasks.ts";
import { PageLink } from "./page-link.tsx";
import { strings } from "./strings.ts";

/** The pages of a phone, within reach of a thumb. The queue is a page of its own there. */
export function TabBar() {
  const { running, waiting } = useActiveTasks();
  const active = running + waiting;
  return (
    <nav className="tab-bar" aria-label={strings.pages}>
      <PageLink page="studio" className="tab">
        <Aperture aria-hidden="true" />
        {strings.studio}
      </PageLink>
      <PageLink page="queue" className="tab">
        <List aria-hidden="true" />
        {strings.queue}
        {active > 0 ? (
          <>
            <span className="tab-count num" aria-hidden="true">
              {active}
            </span>
            <span className="visually-hidden">, {strings.active(running, waiting)}</span>
          </>
        ) : null}
      </PageLink>
      <PageLink page="gallery" className="tab">
        <LayoutGrid aria-hidden="true" />
        {strings.gallery}
      </PageLink>
      <PageLink page="history" className="tab">
        <History aria-hidden="true" />
        {strings.history}
      </PageLink>
    </nav>
  );
}
