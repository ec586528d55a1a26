/**
 * A form as the bytes that are sent. Handing the form itself to fetch of Node 24 streams it, and a signal that fires before it
 * is sent then throws where nobody can catch it, which ends the process.
 */
export async function encodeForm(form: FormData): Promise<{ contentType: string; bytes: Uint8Array<ArrayBuffer> }> {
  const encoded = new Response(form);
  const contentType = encoded.headers.get("content-type");
  if (contentType === null) throw new TypeError("the form has no content type");
  return { contentType, bytes: new Uint8Array(await encoded.arrayBuffer()) };
}
