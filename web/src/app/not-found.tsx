import { Compass } from "lucide-react";
import { EmptyState } from "../ui/empty-state.tsx";
import { usePageTitle } from "../ui/page-title.ts";
import { Link } from "../ui/router.tsx";
import { strings } from "./strings.ts";

/** An address that is no page. */
export function NotFound() {
  usePageTitle(strings.notFound);
  return (
    <main id="main" className="grid flex-1 place-items-center">
      <EmptyState icon={Compass} title={strings.notFound} text={strings.notFoundText} level={1}>
        <Link to="/" className="btn">
          {strings.openStudio}
        </Link>
      </EmptyState>
    </main>
  );
}
