import "./history.css";
import { ArrowUp, History as HistoryIcon, SearchX } from "lucide-react";
import { type UIEvent, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { type HistoryFilters, useHistory, useHistoryArrivals, useHistoryCounts } from "../../api/history.ts";
import { useModels } from "../../api/models.ts";
import { useHiddenIds } from "../../api/pending-deletes.ts";
import { describeProblem } from "../../api/problems.ts";
import { EmptyState } from "../../ui/empty-state.tsx";
import { Ghost, GhostArea } from "../../ui/ghost.tsx";
import { usePageTitle } from "../../ui/page-title.ts";
import { ProblemNote } from "../../ui/problem-note.tsx";
import { Link, useNavigate, useSearch } from "../../ui/router.tsx";
import { HistoryBar } from "./history-bar.tsx";
import { HistoryList } from "./history-list.tsx";
import { filtersOf, type HistorySearch, parseHistorySearch } from "./search.ts";
import { strings } from "./strings.ts";

const ghostRows = 8;

/** Every task in every state, newest first: how it went, why, and the way to do it again. */
export function History() {
  usePageTitle(strings.title);
  const { search, setSearch } = useHistorySearch();
  const filters = useMemo(() => filtersOf(search), [search]);
  const models = useModels().data ?? [];
  const counts = useHistoryCounts(filters);
  const history = useHistory(filters);
  const hidden = useHiddenIds();
  const tasks = useMemo(() => history.tasks.filter((task) => !hidden.has(task.id)), [history.tasks, hidden]);
  const scroller = useRef<HTMLElement>(null);
  const { arrivals, atTop, onScroll, showArrivals } = useLettingIn(scroller, filters, history.data);
  const { fetchNextPage } = history;
  const onMore = useCallback(() => void fetchNextPage(), [fetchNextPage]);
  return (
    <main id="main" ref={scroller} className="history" onScroll={onScroll}>
      <div className="history-page">
        <HistoryBar search={search} counts={counts} models={models} onSearch={setSearch} />
        <output className="history-arrivals">
          {arrivals > 0 && !atTop ? (
            <button type="button" className="btn" onClick={showArrivals}>
              <ArrowUp className="icon" aria-hidden="true" />
              {strings.arrivals(arrivals)}
            </button>
          ) : null}
        </output>
        {history.data === undefined ? (
          <Missing error={history.error} onRetry={() => void history.refetch()} />
        ) : tasks.length === 0 && !history.hasNextPage ? (
          <Nothing narrowed={Object.keys(search).length > 0} onClear={() => setSearch({})} />
        ) : (
          <HistoryList
            key={JSON.stringify(search)}
            scroller={scroller}
            tasks={tasks}
            models={models}
            hasMore={history.hasNextPage}
            loadingMore={history.isFetchingNextPage}
            moreFailed={history.isFetchNextPageError}
            onMore={onMore}
          />
        )}
      </div>
    </main>
  );
}

function useHistorySearch(): { search: HistorySearch; setSearch: (next: HistorySearch) => void } {
  const given = useSearch({ strict: false });
  const search = useMemo(() => parseHistorySearch(given), [given]);
  const navigate = useNavigate();
  const setSearch = useCallback(
    (next: HistorySearch) => void navigate({ to: "/history", search: next, replace: true, resetScroll: false }),
    [navigate],
  );
  return { search, setSearch };
}

/** New tasks come in by themselves while the top is in sight; further down they wait, so that nothing moves away. */
function useLettingIn(
  scroller: { current: HTMLElement | null },
  filters: HistoryFilters,
  known: ReturnType<typeof useHistory>["data"],
) {
  const { arrivals, takeIn } = useHistoryArrivals(filters, known);
  const [atTop, setAtTop] = useState(true);
  useEffect(() => {
    if (atTop) takeIn();
  }, [atTop, takeIn]);
  const onScroll = useCallback((event: UIEvent<HTMLElement>) => {
    if (event.target === event.currentTarget) setAtTop(event.currentTarget.scrollTop < 8);
  }, []);
  const showArrivals = useCallback(() => {
    takeIn();
    scroller.current?.scrollTo({ top: 0 });
    scroller.current?.querySelector<HTMLElement>("h1")?.focus({ preventScroll: true });
  }, [takeIn, scroller]);
  return { arrivals: arrivals.length, atTop, onScroll, showArrivals };
}

/** Before the first page is there: ghosts, or why it did not come. */
function Missing({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  if (error === null || error === undefined) {
    return (
      <GhostArea label={strings.loading} className="grid gap-5 pt-5">
        {Array.from({ length: ghostRows }, (_, index) => (
          <span key={index} className="grid grid-cols-[3rem_minmax(0,1fr)_8rem] gap-4">
            <Ghost className="size-12" />
            <Ghost className="h-4" />
            <Ghost className="h-4" />
          </span>
        ))}
      </GhostArea>
    );
  }
  const problem = describeProblem(error);
  return (
    <ProblemNote
      title={strings.failedTitle}
      action={[problem.detail, problem.action].filter(Boolean).join(" ")}
      code={problem.code}
      reference={problem.reference}
    >
      <button type="button" className="btn" onClick={onRetry}>
        {strings.tryAgain}
      </button>
    </ProblemNote>
  );
}

function Nothing({ narrowed, onClear }: { narrowed: boolean; onClear: () => void }) {
  if (narrowed) {
    return (
      <EmptyState icon={SearchX} title={strings.noMatchTitle} text={strings.noMatchText}>
        <button type="button" className="btn" onClick={onClear}>
          {strings.clear}
        </button>
      </EmptyState>
    );
  }
  return (
    <EmptyState icon={HistoryIcon} title={strings.emptyTitle} text={strings.emptyText}>
      <Link to="/" className="btn btn-primary">
        {strings.toStudio}
      </Link>
    </EmptyState>
  );
}
