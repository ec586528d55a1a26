import type { GenerateAnswer } from "@safelight/contract";
import type { Config } from "../config.ts";

/** Body of a 202; URLs are paths, absolute when PUBLIC_BASE_URL is set. */
export function generateAnswer(config: Config, id: string): GenerateAnswer {
  const base = config.publicBaseUrl ?? "";
  return {
    task_id: id,
    status: "pending",
    status_url: `${base}/status/${id}`,
    result_url: `${base}/results/${id}`,
    preview_url: `${base}/preview/${id}`,
    cancel_url: `${base}/cancel/${id}`,
    events_url: `${base}/events/${id}`,
  };
}
