import { Bell, BellOff } from "lucide-react";
import { useNotices } from "../../../ui/notices.ts";
import { showToast } from "../../../ui/toasts.tsx";
import { strings } from "./strings.ts";

/** The bell: notices of the system when a task ends out of sight. Permission is asked for by its press alone. */
export function NotifyToggle() {
  const { state, toggle } = useNotices();
  const on = state === "on";
  const Icon = state === "refused" || state === "missing" ? BellOff : Bell;
  const press = async () => {
    const now = await toggle();
    if (now === "refused" || now === "missing") showToast({ text: strings.notify[now] });
  };
  return (
    <button
      type="button"
      className="icon-btn"
      aria-pressed={on}
      aria-label={strings.notify.on}
      title={on ? strings.notify.off : strings.notify.on}
      onClick={() => void press()}
    >
      <Icon className="icon" aria-hidden="true" />
    </button>
  );
}
