import { useReachable } from "../api/connection.ts";
import { Studio } from "../features/studio/studio.tsx";
import { usePageTitle } from "../ui/page-title.ts";
import { strings } from "./strings.ts";

/** The studio at its address, told whether the server can be reached. */
export function StudioPage() {
  usePageTitle(strings.studio);
  return <Studio online={useReachable()} />;
}
