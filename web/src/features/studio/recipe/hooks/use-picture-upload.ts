import { useState } from "react";
import { client } from "../../../../api/client.ts";
import { describeProblem } from "../../../../api/problems.ts";
import { withSession } from "../../../../api/session.ts";
import type { Picture } from "../model/values.ts";

interface PictureUpload {
  /** Name of the file on its way; null when none is. */
  busy: string | null;
  error: string | null;
  send: (file: File) => void;
}

/** Sends a picture to the server as soon as it is chosen: a recipe holds only pictures that are already there. */
export function usePictureUpload(onStored: (picture: Picture) => void): PictureUpload {
  const [busy, setBusy] = useState<string | null>(null);
  const [error, setError] = useState<string | null>(null);
  const store = async (file: File) => {
    setBusy(file.name);
    setError(null);
    try {
      const stored = await withSession(() => client.upload(file, file.name));
      onStored({
        id: stored.id,
        name: file.name,
        width: stored.width,
        height: stored.height,
        bytes: stored.bytes,
        url: stored.url,
      });
    } catch (problem) {
      const { detail, action } = describeProblem(problem);
      setError([detail, action].filter(Boolean).join(" "));
    } finally {
      setBusy(null);
    }
  };
  return { busy, error, send: (file) => void store(file) };
}
