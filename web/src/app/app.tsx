import { QueryClientProvider } from "@tanstack/react-query";
import { useTaskEvents } from "../api/events.ts";
import { checkMedia } from "../api/media-check.ts";
import { queryClient } from "../api/query-client.ts";
import { useSession } from "../api/session.ts";
import { useLanguage } from "../ui/language.ts";
import { later } from "../ui/later.tsx";
import { navigate, usePath } from "../ui/router.tsx";
import { MediaCheckContext } from "../ui/viewer/media-access.ts";
import { isAdminPath } from "./admin-path.ts";
import { CrashBoundary } from "./crash-boundary.tsx";
import { Frame } from "./frame.tsx";

// Nothing ends before it was begun: there is time.
const TaskNotices = later(() => import("../features/notices/task-notices.tsx").then((module) => module.TaskNotices));

const TabIcon = later(() => import("./tab-icon.tsx").then((module) => module.TabIcon));

/** The whole page. A new language draws everything below anew; what was read, and the stream of news, stay. */
export function App() {
  return (
    <CrashBoundary>
      <QueryClientProvider client={queryClient}>
        <News />
        <TaskNotices onShow={showTask} />
        <MediaCheckContext value={checkMedia}>
          <Frame key={useLanguage()} />
        </MediaCheckContext>
      </QueryClientProvider>
    </CrashBoundary>
  );
}

/** News of tasks need a creator's session; operators are not asked for one, and hear them if they have it. */
function News() {
  const isAdmin = isAdminPath(usePath());
  const hasSession = useSession().phase === "active";
  return isAdmin && !hasSession ? null : <TaskNews />;
}

function TaskNews() {
  useTaskEvents();
  return <TabIcon />;
}

/** What a press on a notice leads to: the task, or of several the history. */
function showTask(taskId: string | null): void {
  void navigate(taskId === null ? { to: "/history" } : { to: "/", search: { task: taskId } });
}
