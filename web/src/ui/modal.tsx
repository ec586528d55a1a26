import { type ReactNode, useEffect, useId, useRef } from "react";
import { useReturnOfFocus } from "./return-of-focus.ts";

interface ModalProps {
  title: string;
  /** Called on Escape; without it the dialog stays until its own button closes it. */
  onClose?: () => void;
  describedBy?: string;
  /** A question that interrupts, read out as a whole. */
  alert?: boolean;
  className?: string;
  children: ReactNode;
}

/** A native modal dialog, open as long as it is mounted: the browser keeps focus inside and gives it back. */
export function Modal({ title, onClose, describedBy, alert = false, className = "", children }: ModalProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const element = dialog.current;
    if (element && !element.open) element.showModal();
  }, []);
  useReturnOfFocus(dialog);
  return (
    <dialog
      ref={dialog}
      className={`dialog ${className}`}
      role={alert ? "alertdialog" : undefined}
      aria-labelledby={id}
      aria-describedby={describedBy}
      // The keys of the page behind rest while a question is open.
      data-keys-rest=""
      onCancel={(event) => {
        event.preventDefault();
        onClose?.();
      }}
    >
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
}
