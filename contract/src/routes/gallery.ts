/** What came of tasks: finding, marking, exporting and deleting. */
import { endpoints } from "../endpoints.ts";
import { TaskPath } from "../schemas/fields.ts";
import {
  Favourite,
  FavouriteRequest,
  GalleryPage,
  GalleryQuery,
  Selection,
  SelectionForm,
  TaskDeleted,
  TasksDeleted,
} from "../schemas/gallery.ts";
import { Media } from "../schemas/media.ts";
import { client, json, jsonBody, machine, oneTask, origin } from "./error-sets.ts";

export const galleryRoutes = {
  listGallery: {
    name: "listGallery",
    ...endpoints.listGallery,
    group: "gallery",
    access: "client",
    summary: "List results",
    description:
      "The done tasks, newest first. Pages by number reach 100 deep, by cursor to the end; a cursor keeps its place while tasks are added and deleted. A task whose file is gone stays and says so.",
    query: GalleryQuery,
    responses: { 200: { description: "One page.", content_type: json, schema: GalleryPage } },
    errors: [...origin, ...client, "validation_failed", ...machine],
  },
  deleteTask: {
    name: "deleteTask",
    ...endpoints.deleteTask,
    group: "gallery",
    access: "client",
    summary: "Delete a task",
    description:
      "Removes a task that has ended, for good: its record, result, previews, the uploads that no other task names, and its events. One that has not ended is refused; cancel it first.",
    path_parameters: TaskPath,
    responses: { 200: { description: "It is gone.", content_type: json, schema: TaskDeleted } },
    errors: [...origin, ...client, ...oneTask, "task_not_ended", ...machine],
  },
  deleteTasks: {
    name: "deleteTasks",
    ...endpoints.deleteTasks,
    group: "gallery",
    access: "client",
    summary: "Delete many tasks",
    description:
      "Removes tasks by their ids, or all of a filter, in small portions. Each is deleted whole or not at all; the answer names those that are gone and those that are not, with the reason. When it is cut off, what was deleted stays deleted.",
    body: { content_type: json, schema: Selection, required: true },
    responses: { 200: { description: "What became of each.", content_type: json, schema: TasksDeleted } },
    errors: [...origin, ...client, ...jsonBody, ...machine],
  },
  exportTasks: {
    name: "exportTasks",
    ...endpoints.exportTasks,
    group: "gallery",
    access: "client",
    summary: "Download many results",
    description:
      "A zip with the file of each done task and its recipe as JSON, written while it is sent. Tasks without a file, or unknown, are listed in missing.json inside it. Takes an HTML form too: a page submits one with its selection, and the browser saves the answer.",
    body: {
      content_type: json,
      schema: Selection,
      other_content_types: { "application/x-www-form-urlencoded": SelectionForm },
      required: true,
    },
    responses: {
      200: {
        description: "The zip.",
        content_type: "application/zip",
        schema: Media,
        headers: { "Content-Disposition": "attachment with a file name.", "Cache-Control": "no-store." },
      },
    },
    errors: [...origin, ...client, ...jsonBody, ...machine],
  },
  setFavourite: {
    name: "setFavourite",
    ...endpoints.setFavourite,
    group: "gallery",
    access: "client",
    summary: "Mark a favourite",
    description:
      "Marks a task as favourite, or no longer; everybody of this installation sees the same. Doing it twice changes nothing.",
    path_parameters: TaskPath,
    body: { content_type: json, schema: FavouriteRequest, required: true },
    responses: { 200: { description: "As it is marked now.", content_type: json, schema: Favourite } },
    errors: [...origin, ...client, ...jsonBody, ...oneTask, ...machine],
  },
} as const;
