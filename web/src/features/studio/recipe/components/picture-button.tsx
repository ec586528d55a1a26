import type { LucideIcon } from "lucide-react";
import { useRef } from "react";
import { PictureInput } from "./picture-input.tsx";

interface PictureButtonProps {
  icon: LucideIcon;
  label: string;
  /** A longer name where the label alone does not say enough; it contains the label. */
  name?: string;
  quiet?: boolean;
  multiple?: boolean;
  onFiles: (files: File[]) => void;
}

/** A small button that opens the file dialog. */
export function PictureButton({ icon: Icon, label, name, quiet, multiple, onFiles }: PictureButtonProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button
        type="button"
        className={quiet ? "btn btn-small btn-quiet" : "btn btn-small"}
        aria-label={name}
        onClick={() => input.current?.click()}
      >
        <Icon className="icon" aria-hidden="true" />
        {label}
      </button>
      <PictureInput input={input} multiple={multiple} onFiles={onFiles} />
    </>
  );
}
