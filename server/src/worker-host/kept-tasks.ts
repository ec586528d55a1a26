import type { Readable } from "node:stream";
import type { WorkerTask } from "@safelight/contract/worker";
import type { MediaStore } from "../context/media-store.ts";

/** What is kept of an ended attempt, beside its files. */
export interface KeptTask {
  readonly task: WorkerTask;
  /** Name of the preview in the store; null without one. */
  readonly preview: { readonly name: string; readonly contentType: string } | null;
  /** Name of the result in the store; null when it failed. */
  readonly result: string | null;
}

const extensions: Readonly<Record<string, string>> = {
  "image/png": "png",
  "image/jpeg": "jpg",
  "image/webp": "webp",
  "video/mp4": "mp4",
  "video/webm": "webm",
};

/**
 * Ended attempts on disk. Files first, then the record that names them: a record that can be read promises that its files
 * were whole. What a kill leaves without a record is removed at the next start.
 */
export class KeptTasks {
  readonly #media: MediaStore;

  constructor(media: MediaStore) {
    this.#media = media;
  }

  /** Every record that can be read; files that none of them names are removed. */
  async load(): Promise<KeptTask[]> {
    const kept: KeptTask[] = [];
    const named = new Set<string>();
    const names: string[] = [];
    for (const folder of ["results/", "previews/"]) {
      for await (const name of this.#media.list(folder)) names.push(name);
    }
    for (const name of names.filter((one) => one.endsWith(".json"))) {
      const record = await this.#read(name);
      if (record === null) continue;
      kept.push(record);
      for (const file of [name, record.result, record.preview?.name]) if (file) named.add(file);
    }
    for (const name of names) if (!named.has(name)) await this.#media.remove(name);
    return kept;
  }

  /** Stores a result; it is not promised to anyone before its record is written. */
  async putResult(task: WorkerTask, contentType: string, stream: Readable) {
    const name = `results/${nameOf(task)}.${extensions[contentType] ?? "bin"}`;
    return { name, ...(await this.#media.put(name, stream)) };
  }

  async putPreview(task: WorkerTask, preview: { contentType: string; bytes: Uint8Array }) {
    const name = `previews/${nameOf(task)}.${extensions[preview.contentType] ?? "bin"}`;
    await this.#media.put(name, preview.bytes);
    return { name, contentType: preview.contentType };
  }

  async putRecord(kept: KeptTask): Promise<void> {
    await this.#media.put(recordName(kept.task), Buffer.from(JSON.stringify(kept)));
  }

  /** The record goes first: what is left of an interrupted removal has no record and goes at the next start. */
  async remove(kept: KeptTask): Promise<void> {
    for (const name of [recordName(kept.task), kept.result, kept.preview?.name]) {
      if (name) await this.#media.remove(name);
    }
  }

  async removeFile(name: string): Promise<void> {
    await this.#media.remove(name);
  }

  async #read(name: string): Promise<KeptTask | null> {
    try {
      const pieces = (await (await this.#media.open(name)).toArray()) as Buffer[];
      const record = JSON.parse(Buffer.concat(pieces).toString("utf8")) as KeptTask;
      return recordName(record.task) === name ? record : null;
    } catch {
      return null;
    }
  }
}

function nameOf({ task_id, attempt }: WorkerTask): string {
  return `${task_id}-${attempt}`;
}

function recordName(task: WorkerTask): string {
  return `results/${nameOf(task)}.json`;
}
