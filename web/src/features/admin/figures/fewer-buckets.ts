import type { Statistics } from "@safelight/contract";

type Bucket = Statistics["buckets"][number];
type Counts = Pick<Bucket, "at" | "submitted" | "done" | "failed" | "cancelled">;

/** The counts in at most `most` stretches of time, each as long as several of the server's. */
export function inFewerBuckets(
  { buckets, step_seconds }: Pick<Statistics, "buckets" | "step_seconds">,
  most: number,
): { buckets: readonly Counts[]; step_seconds: number } {
  const size = Math.ceil(buckets.length / most);
  if (size <= 1) return { buckets, step_seconds };
  const groups = Math.ceil(buckets.length / size);
  // Counted from the end, so that the latest stretch is a whole one.
  const first = buckets.length - (groups - 1) * size;
  const parts = Array.from({ length: groups }, (_, index) =>
    index === 0 ? buckets.slice(0, first) : buckets.slice(first + (index - 1) * size, first + index * size),
  );
  return { buckets: parts.map(together), step_seconds: step_seconds * size };
}

function together(buckets: readonly Bucket[]): Counts {
  const sum = (field: "submitted" | "done" | "failed" | "cancelled") =>
    buckets.reduce((all, bucket) => all + bucket[field], 0);
  return {
    at: buckets[0]?.at ?? "",
    submitted: sum("submitted"),
    done: sum("done"),
    failed: sum("failed"),
    cancelled: sum("cancelled"),
  };
}
