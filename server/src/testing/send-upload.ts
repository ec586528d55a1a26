import type { LightMyRequestResponse } from "fastify";
import type { Edge } from "./edge.ts";

/** Sends a picture to `POST /uploads`, as the form of a page does. */
export async function sendUpload(edge: Edge, bytes: Uint8Array, type: string): Promise<LightMyRequestResponse> {
  const form = new FormData();
  form.set("file", new Blob([Uint8Array.from(bytes)], { type }), "picture");
  const sent = new Response(form);
  return edge.inject({
    method: "POST",
    url: "/uploads",
    headers: { "content-type": sent.headers.get("content-type") ?? "" },
    payload: Buffer.from(await sent.arrayBuffer()),
  });
}
