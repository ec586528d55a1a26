import { X } from "lucide-react";
import { type ReactNode, useEffect, useId, useRef } from "react";
import { useReturnOfFocus } from "./return-of-focus.ts";
import { strings } from "./strings.ts";

interface DrawerProps {
  title: ReactNode;
  onClose: () => void;
  /** Buttons beside the one that closes. */
  tools?: ReactNode;
  children: ReactNode;
}

/** A panel that slides over the right side of the page, open as long as it is mounted. Escape and a press beside it close it. */
export function Drawer({ title, onClose, tools, children }: DrawerProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const element = dialog.current;
    if (element && !element.open) element.showModal();
  }, []);
  useReturnOfFocus(dialog);
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- its backdrop closes it, as Escape does
    <dialog
      ref={dialog}
      className="drawer"
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        // The backdrop belongs to the dialog; what lies inside is a child.
        if (event.target === event.currentTarget) onClose();
      }}
      onKeyDown={(event) => {
        // Browsers let a second Escape through without asking.
        if (event.key !== "Escape" || event.defaultPrevented) return;
        event.preventDefault();
        onClose();
      }}
    >
      <div className="drawer-sheet">
        <header className="drawer-head">
          <h2 id={id} className="min-w-0 flex-1">
            {title}
          </h2>
          {tools}
          <button
            type="button"
            className="icon-btn"
            aria-label={strings.close}
            title={strings.close}
            onClick={() => onClose()}
          >
            <X className="icon" aria-hidden="true" />
          </button>
        </header>
        <div className="drawer-body">{children}</div>
      </div>
    </dialog>
  );
}
