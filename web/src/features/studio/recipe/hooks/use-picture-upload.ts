import { useState } from "react";
import { describeProblem } from "../../../../api/problems.ts";
import { storePicture } from "../../../../api/uploads.ts";
import type { Picture } from "../model/values.ts";

interface PictureUpload {
  /** Name of the file on its way; null when none is. */
  busy: string | null;
  error: string | null;
  send: (file: File) => void;
  /** One after the other, so that they arrive in their order. */
  sendAll: (files: readonly File[]) => void;
}

/** Sends a picture to the server as soon as it is chosen: a recipe holds only pictures that are already there. */
export function usePictureUpload(onStored: (picture: Picture) => void): PictureUpload {
  const [busy, setBusy] = useState<string | null>(null);
  const [error, setError] = useState<string | null>(null);
  const store = async (files: readonly File[]) => {
    setError(null);
    try {
      for (const file of files) {
        setBusy(file.name);
        onStored(await storePicture(file, file.name));
      }
    } catch (problem) {
      const { detail, action } = describeProblem(problem);
      setError([detail, action].filter(Boolean).join(" "));
    } finally {
      setBusy(null);
    }
  };
  return { busy, error, send: (file) => void store([file]), sendAll: (files) => void store(files) };
}
