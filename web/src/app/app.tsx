import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { useTaskEvents } from "../api/events.ts";
import { queryClient } from "../api/query-client.ts";
import { useTaskNotices } from "../features/notices/use-task-notices.ts";
import { useLanguage } from "../ui/language.ts";
import { CrashBoundary } from "./crash-boundary.tsx";
import { router } from "./router.tsx";

/** The whole page. A new language draws everything below anew; what was read, and the stream of news, stay. */
export function App() {
  return (
    <CrashBoundary>
      <QueryClientProvider client={queryClient}>
        <News />
        <RouterProvider key={useLanguage()} router={router} />
      </QueryClientProvider>
    </CrashBoundary>
  );
}

function News() {
  useTaskEvents();
  useTaskNotices(showTask);
  return null;
}

/** What a press on a notice leads to: the task, or of several the history. */
function showTask(taskId: string | null): void {
  void router.navigate(taskId === null ? { to: "/history" } : { to: "/", search: { task: taskId } });
}
