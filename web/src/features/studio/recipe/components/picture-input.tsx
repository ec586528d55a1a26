import type { RefObject } from "react";

interface PictureInputProps {
  input: RefObject<HTMLInputElement | null>;
  multiple?: boolean | undefined;
  onFiles: (files: File[]) => void;
}

/** The browser's file dialog behind a button of the page's own; the same file can be chosen twice. */
export function PictureInput({ input, multiple = false, onFiles }: PictureInputProps) {
  return (
    <input
      ref={input}
      type="file"
      accept="image/*"
      multiple={multiple}
      tabIndex={-1}
      className="visually-hidden"
      aria-hidden="true"
      onChange={(event) => {
        onFiles(Array.from(event.target.files ?? []));
        event.target.value = "";
      }}
    />
  );
}
