import { useEffect, useState } from "react";
import { formatNumber } from "../../ui/language.ts";
import { hrefOf } from "../../ui/router.tsx";
import { useAccounts } from "./data/accounts.ts";
import { useQueue } from "./data/queue.ts";
import { type Section, sections } from "./search.ts";
import { strings } from "./strings.ts";
import type { View } from "./use-view.ts";

/** The ways to the sections of the page; the one in sight is marked. */
export function Rail({ view }: { view: View }) {
  const current = useSectionInSight(view.search.section ?? "accounts");
  const counts: Partial<Record<Section, number | undefined>> = {
    accounts: useAccounts().data?.length,
    queue: useQueueLength(),
  };
  const go = (section: Section) => {
    view.change(({ section: _before, ...rest }) => (section === "accounts" ? rest : { ...rest, section }));
    showSection(section);
  };
  return (
    <nav className="admin-rail" aria-label={strings.sections}>
      {sections.map((section) => (
        <a
          key={section}
          href={hrefOf({ to: "/admin/dashboard", search: { ...view.search, section } })}
          aria-current={section === current ? "true" : undefined}
          onClick={(event) => {
            if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
            event.preventDefault();
            go(section);
          }}
        >
          {strings.names[section]}
          {counts[section] === undefined ? null : (
            <span className="admin-count num">{formatNumber(counts[section])}</span>
          )}
        </a>
      ))}
    </nav>
  );
}

function useQueueLength(): number | undefined {
  const queue = useQueue().data?.state;
  return queue === undefined ? undefined : queue.pending + queue.processing;
}

/** Brings a section into sight and hands it the focus, as a press on a link within a page does. */
export function showSection(section: Section): void {
  const element = document.getElementById(section);
  element?.scrollIntoView?.({ block: "start" });
  element?.querySelector<HTMLElement>("h2")?.focus({ preventScroll: true });
}

/** The section whose title has passed the upper part of the window last. */
function useSectionInSight(asked: Section): Section {
  const [seen, setSeen] = useState<{ asked: Section; section: Section }>({ asked, section: asked });
  useEffect(() => {
    const look = () => {
      const line = window.innerHeight * 0.3;
      const atEnd = window.innerHeight + window.scrollY >= document.documentElement.scrollHeight - 2;
      const passed = sections.filter((section) => {
        const box = document.getElementById(section)?.getBoundingClientRect();
        return box !== undefined && box.height > 0 && box.top <= line;
      });
      // Sections that stand side by side, and the last ones of the page, are in sight together: the one asked for counts.
      if (!atEnd || window.scrollY === 0) setSeen({ asked, section: passed.at(-1) ?? "accounts" });
    };
    window.addEventListener("scroll", look, { passive: true });
    return () => window.removeEventListener("scroll", look);
  }, [asked]);
  // A press on another way counts until the page is scrolled by hand.
  return seen.asked === asked ? seen.section : asked;
}
