/**
 * What tasks are expected to write. Meant to be too much rather than too little, and the same by request and by row: a picture as if
 * it were an uncompressed PNG, a film at a quarter of a byte for each pixel of each frame, and both with previews and their rows.
 */
import type { CheckedRequest } from "@safelight/catalog";
import type { Prepare } from "../tasks/read.ts";

const pictureBytes = 3;
const framesInFourBytes = 4;
/** Previews, thumbnail, rows and events of one task. */
const besides = 256 * 1024;

/** Bytes that the task of this request will write. */
export function expectedOf({ type, parameters }: Pick<CheckedRequest, "type" | "parameters">): number {
  const pixels = numberOf(parameters.width) * numberOf(parameters.height);
  if (type === "image") return pixels * pictureBytes + besides;
  return Math.ceil((pixels * Math.max(1, numberOf(parameters.num_frames))) / framesInFourBytes) + besides;
}

/** Bytes that all tasks that wait or run will write. Two short indexes, however long the history is. */
export async function expectedOfAccepted(prepare: Prepare): Promise<number> {
  const sum = `coalesce(sum(CASE type WHEN 'image' THEN coalesce(width, 0) * coalesce(height, 0) * ${pictureBytes}
    ELSE coalesce(width, 0) * coalesce(height, 0) * coalesce(frames, 1) / ${framesInFourBytes} END + ${besides}), 0)`;
  const of = async (status: string) =>
    Number(
      (
        await prepare(
          `SELECT ${sum} AS bytes FROM tasks${prepare.dialect.through(`tasks_${status}`)} WHERE status = '${status}'`,
        ).get()
      )?.bytes,
    );
  return (await of("pending")) + (await of("processing"));
}

function numberOf(value: unknown): number {
  return typeof value === "number" ? value : 0;
}
