import { useEffect } from "react";
import { useActiveTasks } from "../api/tasks.ts";
import idle from "./icon.svg";
import busy from "./icon-running.svg";

/** Draws nothing; the icon of the tab bears a dot while something runs or waits, so that a hidden tab can be told by it. */
export function TabIcon() {
  const { running, waiting } = useActiveTasks();
  const icon = running + waiting > 0 ? busy : idle;
  useEffect(() => {
    document.querySelector("link[rel=icon]")?.setAttribute("href", icon);
  }, [icon]);
  return null;
}
