import { type FavouriteRequest, type GalleryQuery, routes, type Selection } from "@safelight/contract";
import type { FastifyReply } from "fastify";
import { deleteTask } from "../gallery/delete-task.ts";
import { deleteTasks } from "../gallery/delete-tasks.ts";
import { exportTasks } from "../gallery/export.ts";
import { listGallery } from "../gallery/list.ts";
import type { Selected } from "../gallery/selection.ts";
import { setFavourite } from "../gallery/set-favourite.ts";
import type { Installation } from "./installation.ts";
import { readFilters, readListQuery } from "./list-query.ts";
import { type Call, credentialOf, type Registrar, register } from "./register.ts";
import { parseTaskId } from "./task-id.ts";

/** Bytes of a selection at most: 10,000 ids and room to spare. */
const largestSelection = 1024 * 1024;

export function registerGalleryRoutes(registrar: Registrar): void {
  const { installation } = registrar;
  register<GalleryQuery>(registrar, routes.listGallery, ({ context, query }) =>
    listGallery(context, readListQuery(query)),
  );
  register(registrar, routes.deleteTask, async ({ context, id: text }) => {
    const id = await parseTaskId(context, text);
    await deleteTask(context, id);
    return { deleted: true, id };
  });
  const options = { bodyLimit: largestSelection };
  register<unknown, Selection>(
    registrar,
    routes.deleteTasks,
    ({ context, body }) => deleteTasks(context, readSelection(body), installation.stopping),
    options,
  );
  register<unknown, Selection>(registrar, routes.exportTasks, (call) => sendExport(installation, call), {
    ...options,
    formField: "selection",
  });
  register<unknown, FavouriteRequest>(registrar, routes.setFavourite, async ({ context, id: text, body }) => {
    const id = await parseTaskId(context, text);
    await setFavourite(context, id, body.favourite);
    return { id, favourite: body.favourite };
  });
}

function readSelection(body: Selection): Selected {
  if ("ids" in body) return { ids: body.ids };
  return { filters: { status: "done", ...readFilters(body.filters ?? {}, "filters.") } };
}

/** The download ends when its reader leaves, its credential is revoked, or the server stops. */
function sendExport(installation: Installation, call: Call<unknown, Selection>): FastifyReply {
  const { context, reply, request } = call;
  const archive = exportTasks(context, readSelection(call.body));
  const cut = () => request.raw.socket.destroy();
  const forget = installation.streams.track(credentialOf(call), cut);
  installation.stopping.addEventListener("abort", cut);
  archive.once("error", (error) => context.log.warn("an export broke off", { error }));
  const letGo = (): void => {
    forget();
    installation.stopping.removeEventListener("abort", cut);
    archive.destroy();
  };
  reply.raw.once("close", letGo);
  const day = new Date(context.clock.now()).toISOString().slice(0, 10);
  const sent = reply
    .type("application/zip")
    .header("content-disposition", `attachment; filename="safelight-${day}.zip"`)
    .send(archive);
  // Who left while the selection was read closes nothing any more.
  if (reply.raw.destroyed) letGo();
  return sent;
}
