import { BookOpen, EllipsisVertical, Keyboard, LogOut, Moon, ServerCog, Sun, SunMoon } from "lucide-react";
import { describeProblem } from "../api/problems.ts";
import { endSession, useSession } from "../api/session.ts";
import { useActiveTasks } from "../api/tasks.ts";
import { BrandMark } from "../ui/brand.tsx";
import { changeLanguage, currentLanguage, languages } from "../ui/language.ts";
import { Menu } from "../ui/menu.tsx";
import { navigate } from "../ui/router.tsx";
import { openShortcutList } from "../ui/shortcuts.ts";
import { useTheme } from "../ui/theme.ts";
import { showToast } from "../ui/toasts.tsx";
import { PageLink } from "./page-link.tsx";
import { strings } from "./strings.ts";

const themeIcons = { system: SunMoon, dark: Moon, light: Sun };
const pages = ["studio", "gallery", "history"] as const;

/** The bar above every page. */
export function TopBar() {
  return (
    <header className="top-bar">
      <PageLink page="studio" className="top-brand">
        <BrandMark />
        Safelight
      </PageLink>
      <nav aria-label={strings.pages} className="top-pages">
        {pages.map((page) => (
          <PageLink key={page} page={page} className="top-page">
            {strings[page]}
          </PageLink>
        ))}
      </nav>
      <div className="ms-auto flex items-center gap-1">
        <ActiveTasks />
        <LanguageSwitch />
        <ThemeSwitch />
        <MoreMenu />
      </div>
    </header>
  );
}

/** The way to the queue where it is not in sight, with what runs and waits. */
function ActiveTasks() {
  const { running, waiting } = useActiveTasks();
  return (
    <PageLink page="queue" className="btn btn-quiet btn-small top-active">
      {running + waiting === 0 ? (
        strings.queue
      ) : (
        <span className="state state-running num">
          <span className="max-md:sr-only">{strings.queue}:</span> {strings.active(running, waiting)}
        </span>
      )}
    </PageLink>
  );
}

/** The languages of the page, to choose from. */
export function LanguageSwitch() {
  const items = languages.map(({ code, name }) => ({
    label: name,
    checked: code === currentLanguage(),
    run: () => void changeLanguage(code).catch(sayOffline),
  }));
  return (
    <Menu label={`${strings.language}: ${currentLanguage().toUpperCase()}`} groups={[items]}>
      <span className="text-label font-semibold">{currentLanguage().toUpperCase()}</span>
    </Menu>
  );
}

function sayOffline(): void {
  showToast({ text: strings.languageFailed, tone: "error" });
}

/** Goes from theme to theme. */
export function ThemeSwitch() {
  const { theme, nextTheme } = useTheme();
  const Icon = themeIcons[theme];
  return (
    <button
      type="button"
      className="icon-btn"
      aria-label={strings.theme[theme]}
      title={strings.theme[theme]}
      onClick={nextTheme}
    >
      <Icon className="icon" aria-hidden="true" />
    </button>
  );
}

function MoreMenu() {
  const signedIn = useSession().phase === "active";
  const signOut = () =>
    void endSession().catch((error: unknown) => {
      const { detail, action } = describeProblem(error);
      showToast({ text: strings.signOutFailed, detail: `${detail} ${action}`, tone: "error" });
    });
  return (
    <Menu
      label={strings.more}
      groups={[
        [
          { label: strings.keys, icon: Keyboard, keys: "?", run: () => openShortcutList() },
          { label: strings.api, icon: BookOpen, href: "/docs" },
          { label: strings.operator, icon: ServerCog, run: () => void navigate({ to: "/admin/dashboard" }) },
        ],
        signedIn ? [{ label: strings.signOut, icon: LogOut, run: signOut }] : [],
      ]}
    >
      <EllipsisVertical className="icon" aria-hidden="true" />
    </Menu>
  );
}
