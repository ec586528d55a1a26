import { ImagePlus } from "lucide-react";
import { type DragEvent, useId, useRef, useState } from "react";
import { picturesIn } from "../hooks/use-dropped-files.ts";
import { strings } from "../strings.ts";
import { PictureInput } from "./picture-input.tsx";

interface DropzoneProps {
  /** What is wanted here, as a sentence: the name of the button. */
  label: string;
  hint?: string | null;
  busy: string | null;
  invalid: boolean;
  describedBy?: string | undefined;
  multiple?: boolean;
  onFiles: (files: File[]) => void;
}

/** A button that opens the file dialog, and a place to drop on that lights up as a target. */
export function Dropzone({ label, hint, busy, invalid, describedBy, multiple, onFiles }: DropzoneProps) {
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const id = useId();
  const onDrop = (event: DragEvent) => {
    setOver(false);
    const pictures = picturesIn(event.dataTransfer);
    if (pictures.length === 0) return;
    event.preventDefault();
    event.stopPropagation();
    onFiles(pictures);
  };
  return (
    <div className="grid">
      <button
        type="button"
        className="dropzone"
        data-over={over || undefined}
        data-invalid={invalid || undefined}
        aria-describedby={[hint ? id : null, describedBy].filter(Boolean).join(" ") || undefined}
        onClick={() => input.current?.click()}
        onDragEnter={() => setOver(true)}
        onDragOver={(event) => event.preventDefault()}
        onDragLeave={() => setOver(false)}
        onDrop={onDrop}
      >
        <ImagePlus className="icon" aria-hidden="true" />
        <span>{busy ? strings.uploading(busy) : label}</span>
        {hint ? (
          <span id={id} className="text-faint">
            {hint}
          </span>
        ) : null}
      </button>
      <PictureInput input={input} multiple={multiple} onFiles={onFiles} />
      <output className="visually-hidden">{busy ? strings.uploading(busy) : ""}</output>
    </div>
  );
}
