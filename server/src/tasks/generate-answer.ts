import type { Config } from "../config.ts";

/** Body of a 202; URLs are paths, absolute when PUBLIC_BASE_URL is set. */
export interface GenerateAnswer {
  task_id: string;
  status: "pending";
  status_url: string;
  result_url: string;
  preview_url: string;
  cancel_url: string;
  events_url: string;
}

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
