import { Dashboard } from "../features/admin/dashboard.tsx";
import { LanguageSwitch, ThemeSwitch } from "./top-bar.tsx";

/** The operator's dashboard with the switches that every page has. */
export function AdminPage() {
  return (
    <Dashboard
      tools={
        <>
          <LanguageSwitch />
          <ThemeSwitch />
        </>
      }
    />
  );
}
