import { Moon, Sun, SunMoon } from "lucide-react";
import { BrandMark } from "../ui/brand.tsx";
import { useTheme } from "../ui/theme.ts";
import { strings } from "./strings.ts";

const themeIcons = { system: SunMoon, dark: Moon, light: Sun };

/** The bar above every page. */
export function TopBar() {
  const { theme, nextTheme } = useTheme();
  const Icon = themeIcons[theme];
  return (
    <header className="sticky top-0 z-30 flex h-(--bar) items-stretch gap-6 border-b border-line bg-bg px-4">
      <a href="/" className="flex items-center gap-2 text-body font-semibold no-underline">
        <BrandMark />
        Safelight
      </a>
      <nav aria-label={strings.pages} className="flex gap-1">
        <a
          href="/"
          aria-current="page"
          className="relative flex items-center px-3 font-medium no-underline after:absolute after:inset-x-3 after:-bottom-px after:h-0.5 after:bg-accent"
        >
          {strings.studio}
        </a>
      </nav>
      <div className="ms-auto flex items-center gap-1">
        <a href="/docs" className="btn btn-quiet btn-small">
          {strings.api}
        </a>
        <button
          type="button"
          className="icon-btn"
          aria-label={strings.theme[theme]}
          title={strings.theme[theme]}
          onClick={nextTheme}
        >
          <Icon className="icon" aria-hidden="true" />
        </button>
      </div>
    </header>
  );
}
