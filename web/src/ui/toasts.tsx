import { TriangleAlert, X } from "lucide-react";
import { useEffect, useState, useSyncExternalStore } from "react";
import { strings } from "./strings.ts";
import { closeToast, onToasts, readToasts, type Toast } from "./toast-store.ts";

export { showToast, type ToastRequest } from "./toast-store.ts";

/** Milliseconds a toast stays, unless it is an error or says otherwise. */
const usual = 6_000;

/** The corner where toasts stand; once in the frame. Both live regions are there before anything is said in them. */
export function Toasts() {
  const toasts = useSyncExternalStore(onToasts, readToasts);
  const errors = toasts.filter((toast) => toast.tone === "error");
  const plain = toasts.filter((toast) => toast.tone !== "error");
  return (
    <section className="toasts" aria-label={strings.messages}>
      <div role="alert">
        {errors.map((toast) => (
          <ToastNote key={toast.id} toast={toast} />
        ))}
      </div>
      <output className="block">
        {plain.map((toast) => (
          <ToastNote key={toast.id} toast={toast} />
        ))}
      </output>
    </section>
  );
}

function ToastNote({ toast }: { toast: Toast }) {
  const [held, setHeld] = useState(false);
  const lasts = toast.lasts ?? (toast.tone === "error" ? null : usual);
  useEffect(() => {
    if (held || lasts === null) return;
    const timer = setTimeout(() => closeToast(toast.id), lasts);
    return () => clearTimeout(timer);
  }, [held, lasts, toast.id]);
  const { action, picture } = toast;
  return (
    <div
      className="toast"
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
    >
      {toast.tone === "error" ? <TriangleAlert className="icon mt-0.5 text-danger" aria-hidden="true" /> : null}
      {picture ? <img src={picture.url} alt="" className={picture.pixelated ? "pixelated" : ""} /> : null}
      <div className="min-w-0 flex-1">
        <p className="font-medium">{toast.text}</p>
        {toast.detail ? <p className="text-soft text-label">{toast.detail}</p> : null}
      </div>
      {action ? (
        <button
          type="button"
          className="btn btn-small"
          onClick={() => {
            closeToast(toast.id);
            action.run();
          }}
        >
          {action.label}
        </button>
      ) : null}
      <button
        type="button"
        className="icon-btn icon-btn-small"
        aria-label={strings.close}
        title={strings.close}
        onClick={() => closeToast(toast.id)}
      >
        <X className="icon" aria-hidden="true" />
      </button>
    </div>
  );
}
